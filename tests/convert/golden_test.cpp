// Small models in many spellings, and a SavedModel, from file to outputs: what tools/fixtures/make_golden.py
// recorded of ONNX Runtime (of the SavedModel: of float64 NumPy).
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <sstream>
#include <string>

#include "convert.hpp"
#include "golden/perch_window.hpp"
#include "io/temporary_folder.hpp"
#include "pantanal/io/safetensors.hpp"
#include "pantanal/perch/model_file.hpp"
#include "pantanal/perch/session.hpp"

namespace pantanal::convert {
namespace {

const std::string golden_files = std::string(PANTANAL_SOURCE_DIR) + "/tests/golden/perch/";

/// The model that pantanal-convert makes of a file or folder of tests/golden/perch.
perch::Model converted(const std::string& source, const std::string& labels = "") {
  const TemporaryFolder folder;
  std::ostringstream report, log;
  ConvertOptions options{.source = golden_files + source,
                         .out = folder / "out.safetensors",
                         .labels = {},
                         .classes = {},
                         .verify_windows = 1,
                         .trust_graph = false};
  if (!labels.empty()) options.labels = golden_files + labels;
  EXPECT_EQ(convert(options, report, log), ExitCode::done) << log.str();
  auto model = perch::load_model(folder / "out.safetensors");
  EXPECT_TRUE(model.ok()) << model.error().message();
  return *std::move(model);
}

/// ‖a - b‖ / ‖b‖.
double relative_l2(std::span<const float> a, std::span<const float> b) {
  double gap = 0, norm = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    gap += std::pow(double{a[i]} - b[i], 2);
    norm += std::pow(double{b[i]}, 2);
  }
  return std::sqrt(gap) / std::max(std::sqrt(norm), 1e-300);
}

double largest(std::span<const float> a, std::span<const float> b) {
  double worst = 0;
  for (std::size_t i = 0; i < b.size(); ++i) worst = std::max(worst, std::abs(double{a[i]} - b[i]));
  return worst;
}

struct Outputs {
  std::vector<float> embedding, spatial_embedding, spectrogram, label;
};

Outputs run(perch::Session& session, std::uint32_t seed) {
  const perch::OutputSizes sizes = session.output_sizes();
  Outputs out{std::vector<float>(sizes.embedding), std::vector<float>(sizes.spatial_embedding),
              std::vector<float>(sizes.spectrogram), std::vector<float>(sizes.label)};
  const Status status = session.run(golden::window(seed), 1,
                                    {.embedding = out.embedding,
                                     .spatial_embedding = out.spatial_embedding,
                                     .spectrogram = out.spectrogram,
                                     .label = out.label});
  EXPECT_TRUE(status.ok()) << status.error().message();
  return out;
}

/// Both recorded windows, within the bounds that a conversion is held to.
void expect_outputs(perch::Model model, const std::string& expected_file) {
  auto session = perch::Session::create(std::make_shared<const perch::Model>(std::move(model)));
  ASSERT_TRUE(session.ok()) << session.error().message();
  const auto file = SafetensorsFile::open(golden_files + expected_file);
  ASSERT_TRUE(file.ok()) << file.error().message();
  for (std::uint32_t seed = 0; seed < 2; ++seed) {
    const Outputs found = run(*session, seed);
    const auto part = [&](const char* name, std::size_t size) {
      const auto all = file->floats(name);
      return all.ok() && all->size() >= (seed + 1) * size ? all->subspan(seed * size, size)
                                                          : std::span<const float>();
    };
    const auto compare = [&](const char* name, const std::vector<float>& values, auto measure, double bound) {
      const std::span<const float> wanted = part(name, values.size());
      const bool recorded =
          file->tensors().contains(name) && (seed == 0 || name != std::string("spectrogram"));
      EXPECT_EQ(wanted.empty(), !recorded || values.empty()) << name;
      EXPECT_LE(measure(values, wanted), bound) << name << " of window " << seed;
    };
    compare("embedding", found.embedding, relative_l2, 1e-5);
    compare("spatial_embedding", found.spatial_embedding, relative_l2, 1e-5);
    compare("spectrogram", found.spectrogram, largest, 1e-5);
    compare("label", found.label, largest, 2e-4);
  }
}

class Golden : public ::testing::TestWithParam<const char*> {};

TEST_P(Golden, ConvertsToWhatOnnxRuntimeComputes) {
  const std::string name = GetParam();
  expect_outputs(converted(name + ".onnx"), name + ".expected.safetensors");
}

INSTANTIATE_TEST_SUITE_P(Models, Golden,
                         ::testing::Values("tiny_shipped", "nano_relu_dynamic", "nano_clean",
                                           "nano_clean_headless", "nano_no_dft", "nano_opset12",
                                           "nano_opset20", "nano_opset22", "nano_power", "nano_zero_minus"),
                         [](const auto& model) { return std::string(model.param); });

TEST(GoldenSavedModel, ConvertsToWhatItsVariablesCompute) {
  expect_outputs(converted("savedmodel"), "savedmodel.expected.safetensors");
}

/// The front ends differ: variables do not tell tiny_shipped's.
TEST(GoldenSavedModel, HasTheWeightsOfItsOnnxTwin) {
  const perch::Model saved = converted("savedmodel"),
                     twin = converted("tiny_shipped.onnx", "savedmodel/assets/labels.csv");
  ASSERT_EQ(saved.tensors.size(), twin.tensors.size());
  EXPECT_EQ(saved.labels, twin.labels);
  std::size_t compared = 0;
  for (const auto& [name, tensor] : twin.tensors) {
    if (name.starts_with("frontend.")) continue;
    const auto& other = saved.tensors.at(name);
    ASSERT_EQ(other.shape, tensor.shape) << name;
    EXPECT_LE(relative_l2(other.values, tensor.values), 1e-6) << name;
    ++compared;
  }
  EXPECT_EQ(compared, twin.tensors.size() - 2);
}

}  // namespace
}  // namespace pantanal::convert
