// BidirectionalSsm's gradients.
#include "pantanal/autograd/bidirectional_ssm.hpp"

#include "autograd/gradient_check.hpp"
#include "autograd/reference_layers.hpp"
#include "pantanal/nn/bidirectional_ssm.hpp"

namespace pantanal::autograd {
namespace {

TEST(BidirectionalSsm, PassesTheGradientCheck) {
  for (const std::size_t d : {4, 17}) {
    const nn::SelectiveSsmConfig c{.d_model = d, .d_state = 3, .d_conv = 4};
    TensorList list;
    nn::BidirectionalSsm::require(list, "", c);
    ParameterSet p(std::move(list).take());
    stir(p);
    check_gradients(p,
                    {.in_features = d,
                     .out_features = d,
                     .reference = [&](const auto& x) { return reference::bidirectional_ssm(p, x, 5, d, 3); },
                     .run =
                         [&](LayerRun& run) {
                           Tape tape;
                           BidirectionalSsm layer(run.table, p, "", c, 0.0f, 0);
                           layer.plan(tape, run.sequences);
                           layer.pack(run.team);
                           for (const Pass& pass : run.passes) {
                             layer.forward(pass, rows_of(pass, run.x, d), rows_of(pass, run.y, d));
                             layer.backward(pass, rows_of(pass, run.x, d), rows_of(pass, run.dy, d),
                                            rows_of(pass, run.dx, d));
                           }
                           layer.weight_gradient(run.team, run.sequences, run.x, run.dy);
                         }});
  }
}

}  // namespace
}  // namespace pantanal::autograd
