// LabelHead's gradients through the maxima, both normalisations and the clamped scales.
#include "pantanal/autograd/label_head.hpp"

#include "autograd/gradient_check.hpp"
#include "autograd/reference_images.hpp"

namespace pantanal::autograd {
namespace {

constexpr std::size_t label_channels = 11, label_positions = 5;
constexpr perch::LabelHead small_label{.classes = 4, .prototypes = 3};

std::vector<TensorSpec> label_specs() {
  return {{"label.prototypes", {4, 3, label_channels}}, {"label.scale", {4, 3}}, {"label.bias", {4}}};
}

TEST(LabelHead, PassesTheGradientCheck) {
  ParameterSet p(label_specs());
  stir(p);
  check_gradients(
      p, {.in_features = label_channels,
          .out_features = small_label.classes,
          .reference =
              [&](const auto& x) {
                return reference::label_head(p, x, label_positions, label_channels, small_label);
              },
          .run =
              [&](LayerRun& run) {
                Tape tape;
                LabelHead layer(run.table, p, small_label, {{label_positions, 1}, label_channels});
                layer.plan(tape, run.sequences.count);
                layer.fold(run.team), layer.pack(run.team);
                const std::vector<float> dlogits = unpad(run.dy, run.sequences.count, small_label.classes);
                std::vector<float> logits(dlogits.size());
                for (const Pass& pass : run.passes) {
                  const Pass pixels = at_positions(pass, label_positions);
                  const std::size_t first = pass.files.begin * small_label.classes;
                  layer.forward(pass, rows_of(pixels, run.x, label_channels), logits.data() + first);
                  layer.backward(pass, rows_of(pixels, run.x, label_channels), dlogits.data() + first,
                                 rows_of(pixels, run.dx, label_channels));
                }
                const AlignedBuffer<float> rows = pad(logits, small_label.classes);
                std::copy_n(rows.data(), rows.size(), run.y);
                layer.weight_gradient(run.team, dlogits.data(), run.sequences.count);
              },
          .in_pixels = label_positions,
          .out_pixels = 1});
}

/// A position of zeros and a prototype of zeros have no direction; nothing is divided by their length.
TEST(LabelHead, IsFiniteWithoutDirections) {
  ParameterSet p(label_specs());
  const auto& table = kernels::table(best_instruction_set());
  Tape tape;
  LabelHead layer(table, p, small_label, {{label_positions, 1}, label_channels});
  layer.plan(tape, 1), layer.fold(Team()), layer.pack(Team());
  std::fill(p["label.scale"].value.begin(), p["label.scale"].value.end(), 1.0f);
  AlignedBuffer<float> x(label_positions * 16), dx(label_positions * 16);
  std::vector<float> logits(4), dlogits(4, 1.0f);
  const Pass pass{.table = &table, .files = {0, 1}, .steps = 1};
  layer.forward(pass, x.data(), logits.data());
  layer.backward(pass, x.data(), dlogits.data(), dx.data());
  layer.weight_gradient(Team(), dlogits.data(), 1);
  EXPECT_EQ(logits, std::vector<float>(4, 0.0f));
  for (std::size_t i = 0; i < dx.size(); ++i) EXPECT_EQ(dx[i], 0.0f);
  for (const float g : p["label.prototypes"].gradient) EXPECT_EQ(g, 0.0f);
}

}  // namespace
}  // namespace pantanal::autograd
