// SelectiveSsm's gradients, in both directions of time, and which of its parameters have none.
#include "pantanal/autograd/selective_ssm.hpp"

#include "autograd/gradient_check.hpp"
#include "autograd/reference_layers.hpp"

namespace pantanal::autograd {
namespace {

ParameterSet make_parameters(const nn::SelectiveSsmConfig& c) {
  TensorList list;
  nn::SelectiveSsm::require(list, "ssm", c);
  return ParameterSet(std::move(list).take());
}

TEST(SelectiveSsm, PassesTheGradientCheck) {
  for (const nn::Direction direction : {nn::Direction::forwards, nn::Direction::backwards})
    for (const auto& [d, n] : {std::pair<std::size_t, std::size_t>{3, 4}, {17, 2}}) {
      const nn::SelectiveSsmConfig c{.d_model = d, .d_state = n, .d_conv = 4};
      ParameterSet p = make_parameters(c);
      stir(p);
      const auto flip = [&](const reference::Rows& x) {
        return direction == nn::Direction::backwards ? reference::flip(x, 5, d) : x;
      };
      check_gradients(
          p, {.in_features = d,
              .out_features = d,
              .reference =
                  [&](const auto& x) { return flip(reference::selective_ssm(p, flip(x), 5, d, n, "ssm")); },
              .run =
                  [&](LayerRun& run) {
                    Tape tape;
                    SelectiveSsm ssm(run.table, p, "ssm", c);
                    ssm.plan(tape, run.sequences);
                    ssm.pack(run.team);
                    const std::size_t stride = nn::row_stride(d);
                    for (const Pass& pass : run.passes) {
                      ssm.forward(pass, rows_of(pass, run.x, d), direction, rows_of(pass, run.y, d), stride);
                      ssm.backward(pass, rows_of(pass, run.x, d), direction, rows_of(pass, run.dy, d), stride,
                                   rows_of(pass, run.dx, d));
                    }
                    ssm.weight_gradient(run.team, run.sequences, run.x, direction);
                  }});
    }
}

TEST(SelectiveSsm, SaysWhatHasNoGradient) {
  const nn::SelectiveSsmConfig c{.d_model = 4, .d_state = 2};
  ParameterSet p = make_parameters(c);
  const SelectiveSsm ssm(kernels::table(best_instruction_set()), p, "ssm", c);
  std::size_t zero = 0, none = 0;
  for (const ParameterRange& range : p.ranges()) {
    if (range.kind == GradientKind::zero) zero += range.size;
    if (range.kind == GradientKind::none) none += range.size;
  }
  EXPECT_EQ(zero, 16u) << "the gate's half of in_proj";
  EXPECT_EQ(none, 16u) << "out_proj";
}

}  // namespace
}  // namespace pantanal::autograd
