// The double reference against ONNX Runtime, stage by stage, so that a mismatch names its layer; and Session
// against the same figures. tests/golden/perch/tiny_shipped.safetensors is pantanal-convert's conversion of
// tiny_shipped.onnx, whose activations tools/fixtures/make_golden.py recorded.
#include "pantanal/perch/reference.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>

#include "golden/perch_window.hpp"
#include "pantanal/io/safetensors.hpp"
#include "pantanal/perch/model_file.hpp"
#include "pantanal/perch/session.hpp"

namespace pantanal::perch {
namespace {

const std::string folder = std::string(PANTANAL_SOURCE_DIR) + "/tests/golden/perch/";

std::shared_ptr<const Model> golden_model() {
  auto model = load_model(folder + "tiny_shipped.safetensors");
  EXPECT_TRUE(model) << model.error().message();
  return std::make_shared<const Model>(*std::move(model));
}

/// A golden tensor of `rows` windows, of which row `row` is returned.
std::vector<float> golden_row(const SafetensorsFile& file, const std::string& name, std::size_t row,
                              std::size_t rows) {
  const auto all = file.floats(name);
  EXPECT_TRUE(all) << all.error().message();
  const std::size_t each = all->size() / rows;
  const auto begin = all->begin() + static_cast<std::ptrdiff_t>(row * each);
  return {begin, begin + static_cast<std::ptrdiff_t>(each)};
}

/// ‖found - expected‖ / ‖expected‖.
template <class Found>
double relative(const Found& found, const std::vector<float>& expected) {
  EXPECT_EQ(found.size(), expected.size());
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    difference += std::pow(static_cast<double>(found[i]) - double{expected[i]}, 2);
    norm += std::pow(double{expected[i]}, 2);
  }
  return std::sqrt(difference / norm);
}

TEST(Reference, AgreesWithOnnxRuntimeAtEveryStage) {
  const auto model = golden_model();
  const auto stages = SafetensorsFile::open(folder + "tiny_shipped.stages.safetensors");
  const auto outputs = SafetensorsFile::open(folder + "tiny_shipped.expected.safetensors");
  ASSERT_TRUE(stages && outputs);
  const reference::Stages found = reference::run(*model, golden::window(0));
  EXPECT_LT(relative(found.spectrogram, golden_row(*outputs, "spectrogram", 0, 1)), 1e-5);
  EXPECT_LT(relative(found.stem, golden_row(*stages, "stem", 0, 1)), 1e-5);
  for (std::size_t i = 0; i < found.blocks.size(); ++i)
    EXPECT_LT(relative(found.blocks[i], golden_row(*stages, "blocks." + std::to_string(i), 0, 1)), 1e-5)
        << "block " << i;
  EXPECT_LT(relative(found.spatial_embedding, golden_row(*stages, "head", 0, 1)), 1e-5);
  EXPECT_LT(relative(found.embedding, golden_row(*outputs, "embedding", 0, 2)), 1e-5);
  const std::vector<float> label = golden_row(*outputs, "label", 0, 2);
  for (std::size_t c = 0; c < label.size(); ++c) EXPECT_NEAR(found.label[c], label[c], 2e-5) << "class " << c;
}

TEST(Session, AgreesWithOnnxRuntime) {
  const auto model = golden_model();
  const auto outputs = SafetensorsFile::open(folder + "tiny_shipped.expected.safetensors");
  ASSERT_TRUE(outputs);
  auto session = Session::create(model, {.threads = 2});
  ASSERT_TRUE(session);
  const OutputSizes sizes = session->output_sizes();
  for (const std::uint32_t seed : {0u, 1u}) {
    std::vector<float> embedding(sizes.embedding), spatial(sizes.spatial_embedding), label(sizes.label);
    ASSERT_TRUE(session->run(golden::window(seed), 1,
                             {.embedding = embedding, .spatial_embedding = spatial, .label = label}));
    EXPECT_LT(relative(embedding, golden_row(*outputs, "embedding", seed, 2)), 1e-5);
    EXPECT_LT(relative(spatial, golden_row(*outputs, "spatial_embedding", seed, 2)), 1e-5);
    const std::vector<float> expected = golden_row(*outputs, "label", seed, 2);
    for (std::size_t c = 0; c < label.size(); ++c) EXPECT_NEAR(label[c], expected[c], 2e-5) << "class " << c;
  }
}

}  // namespace
}  // namespace pantanal::perch
