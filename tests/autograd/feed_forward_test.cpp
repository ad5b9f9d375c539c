// FeedForward's gradients.
#include "pantanal/autograd/feed_forward.hpp"

#include "autograd/gradient_check.hpp"
#include "autograd/reference_layers.hpp"
#include "pantanal/nn/feed_forward.hpp"

namespace pantanal::autograd {
namespace {

TEST(FeedForward, PassesTheGradientCheck) {
  for (const auto& [d, hidden] : {std::pair<std::size_t, std::size_t>{4, 9}, {17, 3}}) {
    TensorList list;
    nn::FeedForward::require(list, "ffn", d, hidden);
    ParameterSet p(std::move(list).take());
    stir(p);
    check_gradients(p, {.in_features = d,
                        .out_features = d,
                        .reference =
                            [&, hidden = hidden](const auto& x) {
                              return reference::add(reference::feed_forward(p, x, d, hidden, "ffn"), x);
                            },
                        .run =
                            [&, hidden = hidden](LayerRun& run) {
                              Tape tape;
                              FeedForward ffn(run.table, p, "ffn", d, hidden, 0.0f, 0);
                              ffn.plan(tape, run.sequences);
                              ffn.pack(run.team);
                              for (const Pass& pass : run.passes) {
                                float *x = rows_of(pass, run.x, d), *dx = rows_of(pass, run.dx, d),
                                      *dy = rows_of(pass, run.dy, d);
                                ffn.forward(pass, x, rows_of(pass, run.y, d), x);
                                ffn.backward(pass, dy, dx);
                                for (std::size_t i = 0; i < pass.rows() * nn::row_stride(d); ++i)
                                  dx[i] += dy[i];
                              }
                              ffn.weight_gradient(run.team, run.x, run.sequences.rows());
                            }});
  }
}

}  // namespace
}  // namespace pantanal::autograd
