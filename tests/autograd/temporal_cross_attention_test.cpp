// TemporalCrossAttention's gradients.
#include "pantanal/autograd/temporal_cross_attention.hpp"

#include "autograd/gradient_check.hpp"
#include "autograd/reference_layers.hpp"
#include "pantanal/nn/temporal_cross_attention.hpp"

namespace pantanal::autograd {
namespace {

TEST(TemporalCrossAttention, PassesTheGradientCheck) {
  constexpr std::size_t d = 6, heads = 3;
  TensorList list;
  nn::TemporalCrossAttention::require(list, "block", d);
  ParameterSet p(std::move(list).take());
  stir(p);
  const auto forward = [&](const reference::Rows& x) {
    const auto middle = reference::add(
        reference::attention(p, reference::layer_norm(p, x, "block.norm"), 5, d, heads, "block.attn"), x);
    return reference::add(
        reference::feed_forward(p, reference::layer_norm(p, middle, "block.norm2"), d, 2 * d, "block.ffn"),
        middle);
  };
  check_gradients(p, {.in_features = d, .out_features = d, .reference = forward, .run = [&](LayerRun& run) {
                        Tape tape;
                        TemporalCrossAttention block(run.table, p, "block", d, heads, 0.0f, 0);
                        block.plan(tape, run.sequences);
                        block.pack(run.team);
                        for (const Pass& pass : run.passes) {
                          block.forward(pass, rows_of(pass, run.x, d), rows_of(pass, run.y, d));
                          block.backward(pass, rows_of(pass, run.x, d), rows_of(pass, run.dy, d),
                                         rows_of(pass, run.dx, d));
                        }
                        block.weight_gradient(run.team, run.x, run.sequences.rows());
                      }});
}

}  // namespace
}  // namespace pantanal::autograd
