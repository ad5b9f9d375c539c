// The head convolution and the embedding against their double references.
#include "pantanal/perch/head.hpp"

#include "pantanal/perch/reference.hpp"
#include "perch/layers_test_support.hpp"
#include "perch/random_model.hpp"

namespace pantanal::perch {
namespace {

TEST(HeadLayer, AgreesWithTheReference) {
  const Architecture architecture = fixtures::tiny_architecture();
  const Model model = fixtures::random_model(architecture, 1);
  const Extent extent = architecture.extents().back();
  const std::size_t depth = architecture.blocks.back().out_channels, channels = architecture.head.channels;
  const std::vector<float> x = kernels::random_floats(extent.positions() * depth, 9);
  const std::vector<double> spatial = kernels::reference::pointwise<float>(
      x, extent.positions(), model.values("head.weight"), model.values("head.bias"), channels, depth,
      to_kernel(architecture.head.activation));
  const std::vector<double> embedding = reference::detail::mean(spatial, channels);
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    const HeadLayer layer(*table, model, extent);
    const AlignedBuffer<float> input = padded_pixels(x, depth);
    AlignedBuffer<float> output(layer.output_size()), mean(channels);
    parallel_team(2, [&](const Team& team) { layer.run(team, input.data(), output.data()); });
    layer.embed(output.data(), mean.data());
    EXPECT_LT(relative_error(output, spatial, channels), 1e-6) << to_string(table->isa);
    for (std::size_t c = 0; c < channels; ++c)
      ASSERT_NEAR(mean[c], embedding[c], 1e-5) << to_string(table->isa);
  }
}

}  // namespace
}  // namespace pantanal::perch
