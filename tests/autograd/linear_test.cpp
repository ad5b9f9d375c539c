// Linear's gradients: one weight, several stacked, rows of one.
#include "pantanal/autograd/linear.hpp"

#include "autograd/gradient_check.hpp"
#include "autograd/reference_layers.hpp"

namespace pantanal::autograd {
namespace {

void run_linear(LayerRun& run, Linear linear, std::size_t in, std::size_t out) {
  linear.pack(run.team);
  const std::size_t stride = nn::row_stride(in);
  for (const Pass& pass : run.passes) {
    linear.forward(pass, rows_of(pass, run.x, in), stride, rows_of(pass, run.y, out));
    linear.backward(pass, rows_of(pass, run.dy, out), linear.output_stride(), rows_of(pass, run.dx, in),
                    stride);
  }
  linear.weight_gradient(run.team, run.x, stride, run.dy, linear.output_stride(), run.sequences.rows());
}

TEST(Linear, PassesTheGradientCheck) {
  for (const auto& [in, out] : {std::pair<std::size_t, std::size_t>{7, 5}, {16, 50}, {1, 1}}) {
    ParameterSet p({{"layer.weight", {static_cast<std::int64_t>(out), static_cast<std::int64_t>(in)}},
                    {"layer.bias", {static_cast<std::int64_t>(out)}}});
    stir(p);
    check_gradients(p, {.in_features = in,
                        .out_features = out,
                        .reference = [&](const auto& x) { return reference::linear(p, x, in, "layer"); },
                        .run =
                            [&](LayerRun& run) {
                              run_linear(run, {run.table, p, "layer", in}, in, out);
                            }});
  }
}

TEST(Linear, PassesTheGradientCheckInParts) {
  ParameterSet p({{"a", {5, 3}}, {"b", {2, 3}}, {"bias", {2}}});
  stir(p);
  check_gradients(p, {.in_features = 3,
                      .out_features = 7,
                      .reference =
                          [&](const auto& x) {
                            const auto first = reference::linear(p, x, 3, "a", ""),
                                       second = reference::linear(p, x, 3, "b", "bias");
                            reference::Rows y;
                            for (std::size_t r = 0; r < x.size() / 3; ++r) {
                              y.insert(y.end(), first.begin() + static_cast<std::ptrdiff_t>(r * 5),
                                       first.begin() + static_cast<std::ptrdiff_t>(r * 5 + 5));
                              y.insert(y.end(), {second[2 * r], second[2 * r + 1]});
                            }
                            return y;
                          },
                      .run =
                          [&](LayerRun& run) {
                            run_linear(run, {run.table, {{p["a"], {}}, {p["b"], p["bias"]}}, 3}, 3, 7);
                          }});
}

/// A team's shares are the whole, bit for bit.
TEST(Linear, IsTheSameForAnyTeam) {
  ParameterSet p({{"layer.weight", {37, 19}}, {"layer.bias", {37}}});
  stir(p);
  const auto& table = kernels::table(best_instruction_set());
  const std::vector<float> x = kernels::random_floats(11 * 32, 1), dy = kernels::random_floats(11 * 48, 2);
  std::vector<float> expected;
  for (const std::size_t size : {1, 2, 3, 16}) {
    Linear linear(table, p, "layer", 19);
    for (std::size_t rank = 0; rank < size; ++rank)
      linear.weight_gradient(Team(rank, size, nullptr), x.data(), 32, dy.data(), 48, 11);
    if (size == 1) expected.assign(p.gradients().begin(), p.gradients().end());
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), p.gradients().begin())) << size;
  }
}

}  // namespace
}  // namespace pantanal::autograd
