// DepthwiseConv2d's gradients at each kernel and stride of Perch, with the pads that it has on even and odd
// sizes.
#include "pantanal/autograd/depthwise_conv2d.hpp"

#include "autograd/gradient_check.hpp"
#include "autograd/reference_images.hpp"
#include "pantanal/autograd/folded_batch_norm.hpp"

namespace pantanal::autograd {
namespace {

void check_depthwise(const perch::ConvGeometry& conv, perch::Extent extent) {
  constexpr std::size_t channels = 18;
  const auto k = static_cast<std::int64_t>(conv.kernel);
  ParameterSet p(
      {{"conv.weight", {channels, 1, k, k}}, {"conv.scale", {channels}}, {"conv.bias", {channels}}});
  stir(p);
  const perch::Extent out = conv.output(extent);
  check_gradients(
      p, {.in_features = channels,
          .out_features = channels,
          .reference = [&](const auto& x) { return reference::depthwise(p, x, extent, conv, "conv"); },
          .run =
              [&](LayerRun& run) {
                FoldedBatchNorm norm(p, "conv");
                DepthwiseConv2d layer(run.table, norm.weight(), norm.bias(), conv, {extent, channels});
                norm.fold(run.team), layer.pack(run.team);
                for (const Pass& pass : run.passes) {
                  const Pass in = at_positions(pass, extent.positions()),
                             to = at_positions(pass, out.positions());
                  layer.forward(pass, rows_of(in, run.x, channels), rows_of(to, run.y, channels));
                  layer.backward(pass, rows_of(to, run.dy, channels), rows_of(in, run.dx, channels));
                }
                layer.weight_gradient(run.team, run.x, run.dy, run.sequences.count);
                norm.weight_gradient(run.team);
              },
          .in_pixels = extent.positions(),
          .out_pixels = out.positions()});
}

TEST(DepthwiseConv2d, PassesTheGradientCheck) {
  check_depthwise({3, 1, {1, 1, 1, 1}}, {4, 3});
  check_depthwise({3, 2, {0, 1, 1, 1}}, {4, 5});
  check_depthwise({5, 1, {2, 2, 2, 2}}, {3, 4});
  check_depthwise({5, 2, {1, 2, 2, 2}}, {6, 3});
}

}  // namespace
}  // namespace pantanal::autograd
