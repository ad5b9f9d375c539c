// MultiheadAttention's gradients.
#include "pantanal/autograd/multihead_attention.hpp"

#include "autograd/gradient_check.hpp"
#include "autograd/reference_layers.hpp"
#include "pantanal/nn/multihead_attention.hpp"

namespace pantanal::autograd {
namespace {

TEST(MultiheadAttention, PassesTheGradientCheck) {
  for (const auto& [d, heads] : {std::pair<std::size_t, std::size_t>{6, 2}, {5, 1}, {18, 6}}) {
    TensorList list;
    nn::MultiheadAttention::require(list, "attn", d);
    ParameterSet p(std::move(list).take());
    stir(p);
    check_gradients(p, {.in_features = d,
                        .out_features = d,
                        .reference =
                            [&, heads = heads](const auto& x) {
                              return reference::add(reference::attention(p, x, 5, d, heads, "attn"), x);
                            },
                        .run =
                            [&, heads = heads](LayerRun& run) {
                              Tape tape;
                              MultiheadAttention attn(run.table, p, "attn", d, heads, 0.0f, 0);
                              attn.plan(tape, run.sequences);
                              attn.pack(run.team);
                              for (const Pass& pass : run.passes) {
                                float *x = rows_of(pass, run.x, d), *dx = rows_of(pass, run.dx, d),
                                      *dy = rows_of(pass, run.dy, d);
                                attn.forward(pass, x, rows_of(pass, run.y, d), x);
                                attn.backward(pass, dy, dx);
                                for (std::size_t i = 0; i < pass.rows() * nn::row_stride(d); ++i)
                                  dx[i] += dy[i];
                              }
                              attn.weight_gradient(run.team, run.x, run.dy, run.sequences.rows());
                            }});
  }
}

}  // namespace
}  // namespace pantanal::autograd
