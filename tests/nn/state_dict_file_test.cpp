#include "pantanal/nn/state_dict_file.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"
#include "pantanal/io/safetensors_writer.hpp"

namespace pantanal::nn {
namespace {

const std::vector<TensorSpec> wanted = {{"weight", {2}}, {"temp", {}}};

void write(const std::filesystem::path& path, std::vector<SafetensorsSpec> specs, float value = 1) {
  auto writer = SafetensorsWriter::create(path, {}, specs);
  ASSERT_TRUE(succeeded(writer));
  for (const SafetensorsSpec& spec : specs) {
    const std::size_t bytes =
        static_cast<std::size_t>(*element_count(spec.shape)) * (spec.dtype == "I64" ? 8 : 4);
    const std::vector<float> values(bytes / sizeof(float), value);
    ASSERT_TRUE(succeeded(writer->write(spec.name, std::as_bytes(std::span(values)))));
  }
  ASSERT_TRUE(succeeded(writer->finish()));
}

TEST(LoadStateDict, TakesExactlyTheParametersAndLeavesBuffersUnread) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.safetensors";
  write(path, {{"ids", "I64", {3}}, {"weight", "F32", {2}}, {"temp", "F32", {}}});
  constexpr std::string_view buffers[] = {"ids"};
  const auto state = load_state_dict(path, wanted, buffers);
  ASSERT_TRUE(succeeded(state));
  EXPECT_EQ(tensor_values(*state, "weight").size(), 2u);
  EXPECT_EQ(tensor_values(*state, "temp")[0], 1.0f);
  EXPECT_TRUE(refused(load_state_dict(path, wanted), ErrorCode::mismatch, {"ids", "I64"}));
}

TEST(LoadStateDict, NamesWhatIsWrong) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.safetensors";
  EXPECT_FALSE(load_state_dict(path, wanted)) << "no such file";
  write(path, {{"weight", "F32", {2}}});
  EXPECT_TRUE(refused(load_state_dict(path, wanted), ErrorCode::not_found, {"a.safetensors: temp"}));
  write(path, {{"weight", "F32", {1, 2}}, {"temp", "F32", {}}});
  EXPECT_TRUE(refused(load_state_dict(path, wanted), ErrorCode::mismatch, {"weight", "[1, 2]", "[2]"}));
  write(path, {{"weight", "F32", {2}}, {"temp", "F32", {}}, {"more", "F32", {4}}});
  EXPECT_TRUE(refused(load_state_dict(path, wanted), ErrorCode::mismatch, {"more", "[4]"}));
  write(path, {{"weight", "F32", {2}}, {"temp", "F32", {}}}, std::numeric_limits<float>::quiet_NaN());
  EXPECT_TRUE(refused(load_state_dict(path, wanted), ErrorCode::corrupt, {"weight", "NaN"}));
}

}  // namespace
}  // namespace pantanal::nn
