// PrototypeHead's gradients, fused with logits and alone, and a prototype of no length.
#include "pantanal/autograd/prototype_head.hpp"

#include "autograd/gradient_check.hpp"
#include "autograd/reference_layers.hpp"

namespace pantanal::autograd {
namespace {

constexpr std::size_t d = 6, classes = 18;

ParameterSet make_parameters() {
  ParameterSet p({{"prototypes", {classes, d}},
                  {"proto_temp", {}},
                  {"class_bias", {classes}},
                  {"fusion_alpha", {classes}}});
  stir(p);
  return p;
}

void run_head(ParameterSet& p, LayerRun& run, const float* logits) {
  Tape tape;
  PrototypeHead head(run.table, p, d, classes);
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
  for (const bool fused : {false, true}) {
    ParameterSet p = make_parameters();
    const std::vector<float> logits = kernels::random_floats(fused ? check_sequences.rows() * classes : 0, 3);
    check_gradients(p,
                    {.in_features = d,
                     .out_features = classes,
                     .reference = [&](const auto& x) { return reference::prototype_head(p, x, d, logits); },
                     .run = [&](LayerRun& run) { run_head(p, run, fused ? logits.data() : nullptr); }});
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
