// LayerNorm's gradients.
#include "pantanal/autograd/layer_norm.hpp"

#include "autograd/gradient_check.hpp"
#include "autograd/reference_layers.hpp"

namespace pantanal::autograd {
namespace {

TEST(LayerNorm, PassesTheGradientCheck) {
  for (const std::size_t d : {4, 16, 21}) {
    ParameterSet p(
        {{"norm.weight", {static_cast<std::int64_t>(d)}}, {"norm.bias", {static_cast<std::int64_t>(d)}}});
    stir(p);
    check_gradients(p, {.in_features = d,
                        .out_features = d,
                        .reference = [&](const auto& x) { return reference::layer_norm(p, x, "norm"); },
                        .run =
                            [&](LayerRun& run) {
                              Tape tape;
                              LayerNorm norm(run.table, p, "norm");
                              norm.plan(tape, run.sequences);
                              for (const Pass& pass : run.passes) {
                                norm.forward(pass, rows_of(pass, run.x, d), rows_of(pass, run.y, d));
                                norm.backward(pass, rows_of(pass, run.x, d), rows_of(pass, run.dy, d),
                                              rows_of(pass, run.dx, d));
                              }
                              norm.weight_gradient(run.team, run.x, run.dy, run.sequences.rows());
                            }});
  }
}

}  // namespace
}  // namespace pantanal::autograd
