// The whole conversion: what is refused before the work begins, what is kept, and that nothing half done is
// left.
#include "convert.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"
#include "pantanal/perch/model_file.hpp"
#include "pantanal/perch/pointwise_weights.hpp"

namespace pantanal::convert {
namespace {

namespace fs = std::filesystem;

const fs::path golden_folder = fs::path(PANTANAL_SOURCE_DIR) / "tests/golden/perch";

/// Six classes, as nano_clean.onnx has.
constexpr std::string_view six_labels = "demo\nAaa a\nBbb b\nCcc c\nDdd d\nEee e\nFff f\n";

class ConvertTest : public ::testing::Test {
 protected:
  ConvertTest() {
    write_bytes(folder_ / "labels.csv", six_labels);
    options_.source = golden_folder / "nano_clean.onnx";
    options_.out = folder_ / "out.safetensors";
    options_.verify_windows = 0;
  }

  ExitCode run() {
    std::ostringstream report, log;
    const ExitCode code = convert(options_, report, log);
    log_ = log.str();
    return code;
  }

  bool said(std::string_view text) const { return log_.find(text) != std::string::npos; }

  perch::Model written() const {
    auto model = perch::load_model(options_.out);
    EXPECT_TRUE(succeeded(model));
    return *std::move(model);
  }

  TemporaryFolder folder_;
  ConvertOptions options_;
  std::string log_;
};

TEST_F(ConvertTest, WritesAModelWithItsLabels) {
  options_.labels = folder_ / "labels.csv";
  options_.verify_windows = 1;
  EXPECT_EQ(run(), ExitCode::done) << log_;
  EXPECT_TRUE(said("label agrees")) << log_;
  EXPECT_EQ(written().labels,
            (std::vector<std::string>{"Aaa a", "Bbb b", "Ccc c", "Ddd d", "Eee e", "Fff f"}));
  EXPECT_EQ(folder_.names(), (std::vector<std::string>{"labels.csv", "out.safetensors"}));
}

TEST_F(ConvertTest, KeepsTheClassesAskedForBitForBit) {
  options_.labels = folder_ / "labels.csv";
  ASSERT_EQ(run(), ExitCode::done) << log_;
  const perch::Model whole = written();
  write_bytes(folder_ / "names.txt", "Eee e\nBbb b\n");
  options_.classes = folder_ / "names.txt";
  options_.out = folder_ / "kept.safetensors";
  ASSERT_EQ(run(), ExitCode::done) << log_;
  const perch::Model kept = written();
  ASSERT_EQ(kept.labels, (std::vector<std::string>{"Bbb b", "Eee e"}));
  for (const char* const name : {"label.prototypes", "label.scale", "label.bias"}) {
    const auto all = whole.values(name), some = kept.values(name);
    const std::size_t row = all.size() / 6;
    ASSERT_EQ(some.size(), 2 * row) << name;
    EXPECT_TRUE(std::ranges::equal(some.first(row), all.subspan(row, row))) << name;
    EXPECT_TRUE(std::ranges::equal(some.last(row), all.subspan(4 * row, row))) << name;
  }
}

TEST_F(ConvertTest, RoundsTheLargeWeightsAndTellsWhatThatChanges) {
  ASSERT_EQ(run(), ExitCode::done) << log_;
  const perch::Model whole = written();
  const auto size = fs::file_size(options_.out);
  for (const Dtype dtype : {Dtype::bf16, Dtype::f16, Dtype::i8}) {
    options_.dtype = dtype;
    ASSERT_EQ(run(), ExitCode::done) << log_;
    EXPECT_TRUE(said("embedding on 8 windows: cosine 0.99") || said("embedding on 8 windows: cosine 1.0"))
        << log_;
    EXPECT_TRUE(said("first 5 ranks changed")) << log_;
    const bool products =
        dtype == Dtype::i8 && perch::is_supported(perch::Precision::int8, best_instruction_set());
    EXPECT_EQ(said("int8 weights and products (--precision int8) against float32"), products) << log_;
    EXPECT_LT(fs::file_size(options_.out), size);
    const perch::Model rounded = written();  // widened
    for (const auto& [name, tensor] : whole.tensors) {
      const Tensor expected = perch::may_be_narrow(name) ? convert_tensor(tensor, dtype) : tensor;
      for (std::size_t i = 0; i < tensor.size(); ++i) {
        ASSERT_EQ(rounded.values(name)[i], expected.at(i)) << name;
        if (dtype != Dtype::i8 && expected.is_narrow()) {
          ASSERT_EQ(expected.at(i), from_half(to_half(tensor.values[i], dtype), dtype)) << name;
        }
      }
    }
    const auto narrow = perch::load_model(options_.out, {.keep_narrow = true});
    ASSERT_TRUE(succeeded(narrow));
    EXPECT_EQ(narrow->tensors.at("head.weight").dtype, dtype);
    EXPECT_EQ(narrow->tensors.at("head.bias").dtype, Dtype::f32);
  }
  options_.audio = {folder_ / "absent.wav"};
  EXPECT_EQ(run(), ExitCode::usage);
  EXPECT_TRUE(said("absent.wav")) << log_;
}

TEST_F(ConvertTest, NoticesAnUnusableOutputBeforeItReadsAnything) {
  fs::create_directory(folder_ / "d");
  for (const fs::path& out :
       {folder_ / "d", folder_ / "absent/out", folder_ / "labels.csv/out", fs::path("/dev/full")}) {
    options_.out = out;
    EXPECT_EQ(run(), ExitCode::output) << out;
    EXPECT_TRUE(said(out.string()) || said(out.parent_path().string())) << log_;
    EXPECT_FALSE(said("reading")) << log_;
  }
  EXPECT_EQ(folder_.names(), (std::vector<std::string>{"d", "labels.csv"}));
}

TEST_F(ConvertTest, NeverOverwritesAnInput) {
  fs::copy_file(options_.source, folder_ / "in.onnx");
  options_.source = options_.out = folder_ / "in.onnx";
  EXPECT_EQ(run(), ExitCode::usage);
  options_.out = folder_ / "labels.csv";
  options_.labels = folder_ / "labels.csv";
  EXPECT_EQ(run(), ExitCode::usage);
  EXPECT_EQ(read_bytes(folder_ / "labels.csv"), six_labels);
}

TEST_F(ConvertTest, NoticesBadLabelsBeforeItReadsTheSource) {
  options_.labels = folder_ / "labels.csv";
  for (const auto& [text, message] :
       {std::pair("demo\nAaa\ncaf\xe9\n", "labels.csv:3: corrupt: found text that is not UTF-8"),
        {"demo\nAaa\nBbb\nAaa\n", "labels.csv:4: corrupt: found 'Aaa' again"},
        {"demo,more\nAaa,1\n", "2 columns"}}) {
    write_bytes(folder_ / "labels.csv", text);
    EXPECT_EQ(run(), ExitCode::usage);
    EXPECT_TRUE(said(message)) << log_;
    EXPECT_FALSE(said("reading")) << log_;
  }
  write_bytes(folder_ / "labels.csv", "demo\nAaa\n");
  EXPECT_EQ(run(), ExitCode::usage);
  EXPECT_TRUE(said("found 1 names, expected 6")) << log_;
  EXPECT_FALSE(said("lack")) << log_;
  write_bytes(folder_ / "labels.csv", six_labels.substr(six_labels.find('\n') + 1));
  EXPECT_EQ(run(), ExitCode::usage);
  EXPECT_TRUE(said("found 5 names, expected 6, one per class of the label head")) << log_;
  EXPECT_TRUE(said("skipped as the header: does the file lack one?")) << log_;
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"labels.csv"});
}

TEST_F(ConvertTest, NoticesClassesThatCannotBeKeptBeforeItVerifies) {
  options_.verify_windows = 2;
  options_.classes = folder_ / "names.txt";
  write_bytes(folder_ / "names.txt", "Bbb\n");
  EXPECT_EQ(run(), ExitCode::usage);
  EXPECT_TRUE(said("classes without names")) << log_;
  options_.labels = folder_ / "labels.csv";
  EXPECT_EQ(run(), ExitCode::usage);
  EXPECT_TRUE(said("such as 'Bbb b'")) << log_;
  EXPECT_FALSE(said("verifying")) << log_;
}

TEST_F(ConvertTest, LeavesNothingBehindWhenTheDiskIsFull) {
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 4096;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const ExitCode code = run();
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(code, ExitCode::output) << log_;
  EXPECT_TRUE(said("out.safetensors") && said("Nothing was written.")) << log_;
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"labels.csv"});
}

TEST_F(ConvertTest, RefusesInstructionsThatThereAreNot) {
  ::setenv("PANTANAL_ISA", "foo", 1);
  const ExitCode code = run();
  ::unsetenv("PANTANAL_ISA");
  EXPECT_EQ(code, ExitCode::usage);
  EXPECT_TRUE(said("PANTANAL_ISA: invalid argument: found 'foo'")) << log_;
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"labels.csv"});
}

TEST_F(ConvertTest, SaysWhatIsWrongWithASourceThatIsNone) {
  for (const auto& [bytes, code] :
       {std::pair("", ExitCode::refused), {"<!DOCTYPE html>", ExitCode::refused}}) {
    write_bytes(folder_ / "in.onnx", bytes);
    options_.source = folder_ / "in.onnx";
    EXPECT_EQ(run(), code);
    EXPECT_TRUE(said("in.onnx")) << log_;
  }
  options_.source = folder_ / "absent.onnx";
  EXPECT_EQ(run(), ExitCode::refused);
  EXPECT_TRUE(said("absent.onnx: not found")) << log_;
}

}  // namespace
}  // namespace pantanal::convert
