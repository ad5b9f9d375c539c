#include "memory_limit.hpp"

#include <gtest/gtest.h>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"
#include "perch/random_model.hpp"

namespace pantanal::infer {
namespace {

TEST(MemoryLimit, ReadsSizes) {
  EXPECT_EQ(parse_size("96M"), 96'000'000u);
  EXPECT_EQ(parse_size("1.5GB"), 1'500'000'000u);
  EXPECT_EQ(parse_size("64MiB"), 64u << 20);
  EXPECT_EQ(parse_size("2Ki"), 2048u);
  EXPECT_EQ(parse_size("12345"), 12345u);
  EXPECT_EQ(parse_size("7B"), 7u);
  for (const char* const bad :
       {"", "M", "-1M", "0", "1T", "1Mb", "1 M", "1MiBs", "nan", "1e3M", "99999999999G", "i"})
    EXPECT_FALSE(parse_size(bad)) << bad;
}

TEST(MemoryLimit, RefusesAndSaysWhatWouldFit) {
  const TemporaryFolder folder;
  const auto path = folder / "m.safetensors";
  ASSERT_TRUE(succeeded(
      perch::save_model(perch::fixtures::random_model(perch::fixtures::tiny_architecture(), 1), path)));
  const auto outline = perch::read_outline(path);
  ASSERT_TRUE(succeeded(outline));
  const RunSize run{.threads = 3, .batch = 12};
  const std::size_t needed = run_memory(*outline, run),
                    smaller = run_memory(*outline, {.threads = 3, .batch = 4});
  EXPECT_TRUE(succeeded(check_memory(path, run, needed)));
  EXPECT_TRUE(refused(check_memory(path, run, needed - 1), ErrorCode::unsupported,
                      {"m.safetensors with 3 threads and batches of 12, about", "at most",
                       "--threads 3 --batch 11 would take"}));
  EXPECT_TRUE(refused(check_memory(path, run, smaller), ErrorCode::unsupported,
                      {"--threads 3 --batch 4 would take"}));
  EXPECT_TRUE(refused(check_memory(path, run, run_memory(*outline, {.threads = 1, .batch = 12})),
                      ErrorCode::unsupported, {"would take"}));
  EXPECT_TRUE(refused(check_memory(path, run, 1000), ErrorCode::unsupported,
                      {"even --threads 1 --batch 1 would take", "--dtype bf16"}));
  // Beside other things, fewer labels, and a batch that is what it is.
  RunSize other{.threads = 2, .batch = 12, .labels = 1, .beside = 50'000'000, .has_fixed_batch = true};
  EXPECT_LT(run_memory(*outline, other), run_memory(*outline, {.threads = 2, .batch = 12}) + 50'000'000);
  EXPECT_TRUE(refused(check_memory(path, other, 50'000'000), ErrorCode::unsupported,
                      {"with 2 threads, about", "even --threads 1 would take"}));
  EXPECT_TRUE(refused(check_memory(folder / "absent", run, needed), ErrorCode::not_found, {"absent"}));
}

TEST(MemoryLimit, GivesUpTheLabelHeadsScreenFirst) {
  const TemporaryFolder folder;
  const auto path = folder / "m.safetensors";
  ASSERT_TRUE(succeeded(
      perch::save_model(perch::fixtures::random_model(perch::fixtures::tiny_architecture(), 1), path)));
  const auto outline = perch::read_outline(path);
  ASSERT_TRUE(succeeded(outline));
  RunSize run{.threads = 2, .batch = 5, .screen = perch::LabelScreen::always};
  const std::size_t screened = run_memory(*outline, run);
  run.screen = perch::LabelScreen::never;
  const std::size_t plain = run_memory(*outline, run);
  EXPECT_EQ(screened > plain, has_integer_dot_products() && best_instruction_set() == InstructionSet::avx512);
  run.screen = perch::LabelScreen::always;
  EXPECT_EQ(*check_memory(path, run, screened), perch::LabelScreen::always);
  if (screened > plain) {
    EXPECT_EQ(*check_memory(path, run, screened - 1), perch::LabelScreen::never);
  }
  EXPECT_TRUE(refused(check_memory(path, run, plain - 1), ErrorCode::unsupported, {"--batch 4 would take"}));
}

}  // namespace
}  // namespace pantanal::infer
