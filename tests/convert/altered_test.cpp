// Models altered in every way that tools/fixtures/mutations knows, from file to file: none yields a model
// that does not compute what it should.
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include "convert.hpp"
#include "io/temporary_folder.hpp"
#include "pantanal/io/safetensors.hpp"
#include "patched_file.hpp"

namespace pantanal::convert {
namespace {

const std::string golden_prefix = std::string(PANTANAL_SOURCE_DIR) + "/tests/golden/perch/";

/// What convert() returned and said, and which files it left beside its source.
struct Converted {
  ExitCode code;
  std::string log;
  std::vector<std::string> files;
};

Converted convert_bytes(std::string_view bytes, bool trust_graph) {
  const TemporaryFolder folder;
  write_bytes(folder / "in.onnx", bytes);
  std::ostringstream report, log;
  const ExitCode code = convert({.source = folder / "in.onnx",
                                 .out = folder / "out.safetensors",
                                 .labels = {},
                                 .classes = {},
                                 .verify_windows = 1,
                                 .trust_graph = trust_graph},
                                report, log);
  return {code, log.str(), folder.names()};
}

void expect_refused(const Converted& converted) {
  EXPECT_TRUE(converted.code == ExitCode::refused || converted.code == ExitCode::disagrees)
      << static_cast<int>(converted.code) << converted.log;
  EXPECT_EQ(converted.files, std::vector<std::string>{"in.onnx"});
  EXPECT_NE(converted.log.find(": found "), std::string::npos) << converted.log;
  EXPECT_NE(converted.log.find("expected "), std::string::npos) << converted.log;
}

/// "refuse", "departs" or "faithful"; see tools/fixtures/mutations.
void check(std::string_view expect, std::string_view bytes) {
  const Converted plain = convert_bytes(bytes, false), trusted = convert_bytes(bytes, true);
  if (expect != "faithful" || plain.code != ExitCode::done) expect_refused(plain);
  if (expect == "refuse" || trusted.code != ExitCode::done) expect_refused(trusted);
  if (expect != "departs") return;
  // Whatever a person may trust is refused with that advice, and named when it is trusted.
  const bool advised = plain.log.find("--trust-graph") != std::string::npos;
  EXPECT_TRUE(advised || trusted.code != ExitCode::done) << plain.log;
  const bool named = trusted.log.find("note: trusted: ") != std::string::npos;
  EXPECT_TRUE(named || trusted.code != ExitCode::done) << trusted.log;
}

class Altered : public ::testing::TestWithParam<const char*> {};

TEST_P(Altered, IsRefusedOrConvertedToWhatItComputes) {
  const auto patches = SafetensorsFile::open(golden_prefix + "altered.safetensors");
  ASSERT_TRUE(patches.ok()) << patches.error().message();
  const std::string model = GetParam(), base = read_bytes(golden_prefix + model + ".onnx");
  ASSERT_EQ(convert_bytes(base, false).code, ExitCode::done);
  std::size_t count = 0;
  for (const auto& [key, entry] : patches->tensors()) {
    if (!key.starts_with(model + "/")) continue;
    SCOPED_TRACE(key);
    const auto bytes = patches->bytes(key);
    ASSERT_TRUE(bytes.ok());
    const auto said = patches->metadata().find(key.substr(model.size() + 1));
    ASSERT_NE(said, patches->metadata().end());
    check(std::string_view(said->second).substr(0, said->second.find(':')),
          fixtures::patched(base, bytes->subspan(1)));
    ++count;
  }
  EXPECT_GT(count, 0u);
}

INSTANTIATE_TEST_SUITE_P(Models, Altered,
                         ::testing::Values("nano_clean", "nano_relu_dynamic", "nano_no_dft", "nano_opset20",
                                           "nano_opset12", "tiny_shipped"),
                         [](const auto& model) { return std::string(model.param); });

TEST(Altered, EveryMutationIsAppliedSomewhere) {
  const auto patches = SafetensorsFile::open(golden_prefix + "altered.safetensors");
  ASSERT_TRUE(patches.ok()) << patches.error().message();
  std::set<std::string> applied;
  for (const auto& [key, entry] : patches->tensors()) applied.insert(key.substr(key.find('/') + 1));
  EXPECT_GT(patches->metadata().size(), 90u);
  for (const auto& [name, said] : patches->metadata()) EXPECT_TRUE(applied.contains(name)) << name;
}

}  // namespace
}  // namespace pantanal::convert
