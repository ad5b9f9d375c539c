// CausalConv1d's gradients, in both directions of time.
#include "pantanal/autograd/causal_conv1d.hpp"

#include "autograd/gradient_check.hpp"
#include "autograd/reference_layers.hpp"

namespace pantanal::autograd {
namespace {

TEST(CausalConv1d, PassesTheGradientCheck) {
  for (const nn::Direction direction : {nn::Direction::forwards, nn::Direction::backwards})
    for (const std::size_t kernel : {1, 4, 7}) {
      constexpr std::size_t d = 18;
      ParameterSet p({{"conv.weight", {d, 1, static_cast<std::int64_t>(kernel)}}, {"conv.bias", {d}}});
      stir(p);
      const bool turn = direction == nn::Direction::backwards;
      const auto flip = [&](const reference::Rows& x) { return turn ? reference::flip(x, 5, d) : x; };
      check_gradients(
          p, {.in_features = d,
              .out_features = d,
              .reference = [&](const auto& x) { return flip(reference::causal_conv(p, flip(x), 5, "conv")); },
              .run =
                  [&](LayerRun& run) {
                    CausalConv1d conv(run.table, p, "conv", d, kernel);
                    conv.pack(run.team);
                    for (const Pass& pass : run.passes) {
                      conv.forward(pass, rows_of(pass, run.x, d), direction, rows_of(pass, run.y, d));
                      conv.backward(pass, rows_of(pass, run.x, d), direction, rows_of(pass, run.dy, d),
                                    rows_of(pass, run.dx, d));
                    }
                    conv.weight_gradient(run.team, run.sequences, run.x, direction, run.dy);
                  }});
    }
}

}  // namespace
}  // namespace pantanal::autograd
