// SqueezeExcite's gradients.
#include "pantanal/autograd/squeeze_excite.hpp"

#include "autograd/gradient_check.hpp"
#include "autograd/reference_images.hpp"

namespace pantanal::autograd {
namespace {

TEST(SqueezeExcite, PassesTheGradientCheck) {
  constexpr std::size_t channels = 18, positions = 6;
  for (const perch::Activation activation : {perch::Activation::swish, perch::Activation::relu}) {
    ParameterSet p({{"se.reduce.weight", {5, channels}},
                    {"se.reduce.bias", {5}},
                    {"se.expand.weight", {channels, 5}},
                    {"se.expand.bias", {channels}}});
    stir(p);
    check_gradients(p, {.in_features = channels,
                        .out_features = channels,
                        .reference =
                            [&](const auto& x) {
                              return reference::squeeze_excite(p, x, positions, channels, activation, "se");
                            },
                        .run =
                            [&](LayerRun& run) {
                              Tape tape;
                              SqueezeExcite layer(run.table, p, "se", {{2, 3}, channels}, 5, activation);
                              layer.plan(tape, run.sequences.count), layer.pack(run.team);
                              for (const Pass& pass : run.passes) {
                                const Pass pixels = at_positions(pass, positions);
                                float* dx = rows_of(pixels, run.dx, channels);
                                layer.forward(pass, rows_of(pixels, run.x, channels),
                                              rows_of(pixels, run.y, channels));
                                std::copy_n(rows_of(pixels, run.dy, channels), pixels.rows() * 32, dx);
                                layer.backward(pass, rows_of(pixels, run.x, channels), dx);
                              }
                              layer.weight_gradient(run.team, run.sequences.count);
                            },
                        .in_pixels = positions,
                        .out_pixels = positions});
  }
}

}  // namespace
}  // namespace pantanal::autograd
