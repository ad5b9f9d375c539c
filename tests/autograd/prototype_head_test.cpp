// PrototypeHead's gradients, fused with logits and alone, and a prototype of no length.
#include "pantanal/autograd/prototype_head.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "autograd/gradient_check.hpp"
#include "autograd/reference_layers.hpp"

namespace pantanal::autograd {
namespace {

constexpr std::size_t d = 6, classes = 18;

ParameterSet make_parameters(std::int64_t per_class = 1) {
  ParameterSet p({{"prototypes", {classes, per_class, d}},
                  {"proto_temp", {}},
                  {"class_bias", {classes}},
                  {"fusion_alpha", {classes}}});
  stir(p);
  return p;
}

/// How much nearer each window of check_gradients() is to the nearest prototype of a class than to the next.
double least_margin(ParameterSet& p, std::size_t per_class) {
  const std::vector<float> x = kernels::random_floats(check_sequences.rows() * d, 1);
  const auto prototypes = p["prototypes"].value;
  double least = 1;
  for (std::size_t i = 0; i < check_sequences.rows() * classes; ++i) {
    std::vector<double> cosines;
    for (std::size_t q = i % classes * per_class; q < (i % classes + 1) * per_class; ++q) {
      double dot = 0, a = 0, b = 0;
      for (std::size_t j = 0; j < d; ++j) {
        const double u = double{x[i / classes * d + j]}, v = double{prototypes[q * d + j]};
        dot += u * v, a += u * u, b += v * v;
      }
      cosines.push_back(dot / std::sqrt(a * b));
    }
    std::ranges::sort(cosines, std::greater<>());
    if (per_class > 1) least = std::min(least, cosines[0] - cosines[1]);
  }
  return least;
}

void run_head(ParameterSet& p, LayerRun& run, const float* logits, std::size_t per_class = 1) {
  Tape tape;
  PrototypeHead head(run.table, p, d, classes, per_class);
  head.plan(tape, run.sequences);
  head.prepare(run.team), head.pack(run.team);
  for (const Pass& pass : run.passes) {
    const float* own = logits ? logits + pass.first_row() * classes : nullptr;
    head.forward(pass, rows_of(pass, run.x, d), own);
    std::copy_n(pass.in(head.output()), pass.rows() * nn::row_stride(classes), rows_of(pass, run.y, classes));
    head.backward(pass, own, rows_of(pass, run.dy, classes), rows_of(pass, run.dx, d));
  }
  head.weight_gradient(run.team, run.sequences.rows());
  head.finish();
}

TEST(PrototypeHead, PassesTheGradientCheck) {
  for (const auto& [fused, per_class] : {std::pair{false, 1}, {true, 1}, {true, 3}}) {
    ParameterSet p = make_parameters(per_class);
    const auto n = static_cast<std::size_t>(per_class);
    // Where two are equally near there is no derivative.
    for (unsigned seed = 10; least_margin(p, n) < 0.008; ++seed) stir(p, seed);
    const std::vector<float> logits = kernels::random_floats(fused ? check_sequences.rows() * classes : 0, 3);
    check_gradients(
        p, {.in_features = d,
            .out_features = classes,
            .reference = [&](const auto& x) { return reference::prototype_head(p, x, d, logits); },
            .run = [&](LayerRun& run) { run_head(p, run, logits.empty() ? nullptr : logits.data(), n); }});
  }
}

TEST(PrototypeHead, StaysFiniteWithoutDirections) {
  ParameterSet p = make_parameters();
  std::fill_n(p["prototypes"].value.begin(), d, 0.0f);
  const nn::Sequences s = check_sequences;
  AlignedBuffer<float> x(s.rows() * nn::row_stride(d)), dy(s.rows() * nn::row_stride(classes)), y(dy.size()),
      dx(x.size());
  std::fill_n(dy.data(), dy.size(), 1e-20f);
  const auto& table = kernels::table(best_instruction_set());
  Pass pass{.table = &table, .files = {0, s.count}, .steps = s.steps};
  LayerRun run{table, s, {pass}, Team(), x.data(), dy.data(), y.data(), dx.data()};
  run_head(p, run, nullptr);
  EXPECT_TRUE(all_finite(y.span()) && all_finite(dx.span()) && all_finite(p.gradients()));
}

}  // namespace
}  // namespace pantanal::autograd
