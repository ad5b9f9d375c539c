// The gradients of a convolution's weight and of the scale that is folded into it.
#include "pantanal/autograd/folded_batch_norm.hpp"

#include "autograd/gradient_check.hpp"
#include "autograd/reference_images.hpp"
#include "pantanal/autograd/linear.hpp"

namespace pantanal::autograd {
namespace {

TEST(FoldedBatchNorm, PassesTheGradientCheck) {
  ParameterSet p({{"conv.weight", {21, 6, 1, 1}}, {"conv.scale", {21}}, {"conv.bias", {21}}});
  stir(p);
  check_gradients(p, {.in_features = 6,
                      .out_features = 21,
                      .reference = [&](const auto& x) { return reference::pointwise(p, x, 6, "conv"); },
                      .run =
                          [&](LayerRun& run) {
                            FoldedBatchNorm norm(p, "conv");
                            Linear linear(run.table, {{norm.weight(), norm.bias()}}, 6);
                            norm.fold(run.team), linear.pack(run.team);
                            for (const Pass& pass : run.passes) {
                              linear.forward(pass, rows_of(pass, run.x, 6), 16, rows_of(pass, run.y, 21));
                              linear.backward(pass, rows_of(pass, run.dy, 21), 32, rows_of(pass, run.dx, 6),
                                              16);
                            }
                            linear.weight_gradient(run.team, run.x, 16, run.dy, 32, run.sequences.rows());
                            norm.weight_gradient(run.team);
                          }});
}

}  // namespace
}  // namespace pantanal::autograd
