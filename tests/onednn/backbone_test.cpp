// oneDNN's backbone against the double reference.
#include "pantanal/onednn/backbone.hpp"

#include "pantanal/core/parallel.hpp"
#include "pantanal/perch/reference.hpp"
#include "pantanal/perch/session.hpp"
#include "perch/layers_test_support.hpp"
#include "perch/random_model.hpp"

namespace pantanal::onednn {
namespace {

/// A spectrogram and what the reference makes of it.
struct Expected {
  std::vector<float> spectrogram;
  std::vector<double> spatial;
};

Expected expected(const perch::Model& model, unsigned seed) {
  const perch::Architecture& a = model.architecture;
  const std::vector<float> samples = kernels::random_floats(a.frontend.samples, seed);
  const perch::reference::Stages stages = perch::reference::run(model, samples);
  return {{stages.spectrogram.begin(), stages.spectrogram.end()}, stages.spatial_embedding};
}

std::size_t output_floats(const perch::Architecture& a) {
  return a.extents().back().positions() * perch::pixel_stride(a.head.channels);
}

void check(const perch::Architecture& architecture, double tolerance) {
  const perch::Model model = perch::fixtures::random_model(architecture, 3);
  const auto backbone = Backbone::create(model, 2);
  ASSERT_TRUE(backbone) << backbone.error().message();
  const Expected windows[2] = {expected(model, 5), expected(model, 6)};
  AlignedBuffer<float> found[2] = {AlignedBuffer<float>(output_floats(architecture)),
                                   AlignedBuffer<float>(output_floats(architecture))};
  const auto errors = [&](const char* how) {
    for (std::size_t w = 0; w < 2; ++w) {
      EXPECT_LT(perch::relative_error(found[w], windows[w].spatial, architecture.head.channels), tolerance)
          << how;
      std::fill_n(found[w].data(), found[w].size(), 0.0f);
    }
  };
  for (std::size_t w = 0; w < 2; ++w)  // all threads on one window, then on the next with the same scratch
    ASSERT_TRUE((*backbone)->run(0, windows[w].spectrogram.data(), found[w].data()));
  errors("in turn");
  parallel_team(2, [&](const Team& team) {
    for (std::size_t w = team.rank(); w < 2; w += team.size())
      EXPECT_TRUE((*backbone)->run(team.rank(), windows[w].spectrogram.data(), found[w].data()));
  });
  errors("side by side");
}

TEST(OnednnBackbone, AgreesWithTheReference) { check(perch::fixtures::tiny_architecture(), 1e-5); }

TEST(OnednnBackbone, LeavesTheChannelsPaddingAlone) {
  const perch::Architecture architecture = perch::fixtures::tiny_architecture();
  const perch::Model model = perch::fixtures::random_model(architecture, 3);
  const auto backbone = Backbone::create(model, 1);
  ASSERT_TRUE(backbone);
  AlignedBuffer<float> found(output_floats(architecture));
  std::fill_n(found.data(), found.size(), 7.0f);
  ASSERT_TRUE((*backbone)->run(0, expected(model, 5).spectrogram.data(), found.data()));
  const std::size_t channels = architecture.head.channels, stride = perch::pixel_stride(channels);
  for (std::size_t pixel = 0; pixel < found.size(); pixel += stride)
    for (std::size_t c = channels; c < stride; ++c) EXPECT_EQ(found[pixel + c], 7.0f) << pixel << ' ' << c;
}

// Three windows on two threads: two side by side, the last on both.
TEST(OnednnBackbone, TakesTheOwnBackbonesPlaceInASession) {
  const auto model = std::make_shared<const perch::Model>(
      perch::fixtures::random_model(perch::fixtures::tiny_architecture(), 3));
  const std::size_t windows = 3;
  const std::vector<float> x = kernels::random_floats(windows * model->architecture.frontend.samples, 5);
  std::vector<float> labels[2], embeddings[2];
  for (const bool foreign : {false, true}) {
    perch::SessionOptions options{.threads = 2};
    if (foreign) options.backbone = Backbone::create;
    auto session = perch::Session::create(model, options);
    ASSERT_TRUE(session) << session.error().message();
    labels[foreign].resize(windows * session->output_sizes().label);
    embeddings[foreign].resize(windows * session->output_sizes().embedding);
    const Status status =
        session->run(x, windows, {.embedding = embeddings[foreign], .label = labels[foreign]});
    ASSERT_TRUE(status) << status.error().message();
  }
  for (std::size_t i = 0; i < labels[0].size(); ++i) EXPECT_NEAR(labels[0][i], labels[1][i], 1e-4) << i;
  for (std::size_t i = 0; i < embeddings[0].size(); ++i)
    EXPECT_NEAR(embeddings[0][i], embeddings[1][i], 1e-4) << i;
}

TEST(OnednnBackbone, RefusesNarrowWeights) {
  const perch::Model model = perch::with_dtype(
      perch::fixtures::random_model(perch::fixtures::smallest_architecture(), 3), Dtype::bf16);
  const auto backbone = Backbone::create(model, 1);
  ASSERT_FALSE(backbone);
  EXPECT_EQ(backbone.error().code, ErrorCode::unsupported);
}

}  // namespace
}  // namespace pantanal::onednn
