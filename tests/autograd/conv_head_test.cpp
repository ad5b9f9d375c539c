// ConvHead's gradients, of its positions and of their mean.
#include "pantanal/autograd/conv_head.hpp"

#include "autograd/gradient_check.hpp"
#include "autograd/reference_images.hpp"

namespace pantanal::autograd {
namespace {

/// With the embedding as output if `pooled`, else all positions.
void check_head(bool pooled, perch::Activation activation) {
  constexpr std::size_t in = 7, out = 18, positions = 6;
  ParameterSet p({{"head.weight", {out, in, 1, 1}}, {"head.scale", {out}}, {"head.bias", {out}}});
  stir(p);
  check_gradients(p, {.in_features = in,
                      .out_features = out,
                      .reference =
                          [&](const auto& x) {
                            const auto spatial =
                                reference::activate(activation, reference::pointwise(p, x, in, "head"));
                            return pooled ? reference::position_mean(spatial, positions, out) : spatial;
                          },
                      .run =
                          [&](LayerRun& run) {
                            Tape tape;
                            ConvHead layer(run.table, p, {out, activation}, {{3, 2}, in});
                            const ImageShape image = layer.output();
                            const Slot spatial = image.take(tape, run.sequences.count),
                                       dspatial = image.take(tape, run.sequences.count);
                            layer.plan(tape, run.sequences.count);
                            layer.fold(run.team), layer.pack(run.team);
                            for (const Pass& pass : run.passes) {
                              const Pass pixels = at_positions(pass, positions);
                              layer.forward(pass, rows_of(pixels, run.x, in), pixels.in(spatial));
                              if (pooled) {
                                layer.embed(pass, pixels.in(spatial), rows_of(pass, run.y, out));
                                layer.embed_backward(pass, rows_of(pass, run.dy, out), pixels.in(dspatial));
                              } else {
                                std::copy_n(pixels.in(spatial), pixels.rows() * image.stride(),
                                            rows_of(pixels, run.y, out));
                                std::copy_n(rows_of(pixels, run.dy, out), pixels.rows() * image.stride(),
                                            pixels.in(dspatial));
                              }
                              layer.backward(pass, pixels.in(dspatial), rows_of(pixels, run.dx, in));
                            }
                            layer.weight_gradient(run.team, run.x, dspatial.data, run.sequences.count);
                            layer.unfold(run.team);
                          },
                      .in_pixels = positions,
                      .out_pixels = pooled ? 1 : positions,
                      .h = 1e-5f});
}

TEST(ConvHead, PassesTheGradientCheck) {
  check_head(false, perch::Activation::swish);
  check_head(false, perch::Activation::relu);
}

TEST(ConvHead, PassesTheGradientCheckThroughTheMean) { check_head(true, perch::Activation::swish); }

}  // namespace
}  // namespace pantanal::autograd
