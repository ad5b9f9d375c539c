// The prototype head against its double reference, several windows at once.
#include "pantanal/perch/label_head.hpp"

#include "pantanal/perch/reference.hpp"
#include "perch/layers_test_support.hpp"
#include "perch/random_model.hpp"

namespace pantanal::perch {
namespace {

TEST(LabelHeadLayer, AgreesWithTheReferenceForSeveralWindows) {
  const Architecture architecture = fixtures::tiny_architecture();
  const Model model = fixtures::random_model(architecture, 1);
  const std::size_t positions = architecture.extents().back().positions(),
                    channels = architecture.head.channels;
  constexpr std::size_t windows = 3;
  std::vector<std::vector<float>> spatial;
  for (unsigned w = 0; w < windows; ++w) spatial.push_back(kernels::random_floats(positions * channels, w));
  std::fill(spatial[1].begin(), spatial[1].end(), 0.0f);  // eps keeps 0/0 away
  const auto run = [&](const kernels::KernelTable& table, std::size_t threads, LabelScreen screen) {
    const LabelHeadLayer layer(table, model, positions, Precision::fp32, screen);
    AlignedBuffer<float> directions(windows * layer.directions_size()), maxima(windows * layer.maxima_size());
    std::vector<ops::ScreenedRows> screened = layer.make_screened_rows(windows);
    std::vector<float> logits(windows * layer.classes());
    parallel_team(threads, [&](const Team& team) {
      for (std::size_t w = 0; w < windows; ++w)
        layer.normalize(team, padded_pixels(spatial[w], channels).data(),
                        directions.data() + w * layer.directions_size());
      team.wait();
      layer.run(team, directions.data(), windows, maxima.data(), logits.data(), screened);
    });
    return logits;
  };
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    const std::vector<float> logits = run(*table, 2, LabelScreen::never);
    for (const std::size_t threads : {1, 2, 3}) EXPECT_EQ(run(*table, threads, LabelScreen::always), logits);
    for (std::size_t w = 0; w < windows; ++w) {
      const std::vector<double> expected = reference::detail::label(model, to_double(spatial[w]));
      for (std::size_t c = 0; c < expected.size(); ++c)
        ASSERT_NEAR(logits[w * architecture.label.classes + c], expected[c], 2e-6)
            << to_string(table->isa) << " window " << w;
    }
  }
}

}  // namespace
}  // namespace pantanal::perch
