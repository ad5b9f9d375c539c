// Losses and their gradients against PyTorch's in double, up to logits of 1e4, and the weights that go with
// them.
#include "pantanal/train/losses.hpp"

#include <functional>

#include "kernels/central_differences.hpp"
#include "kernels/guarded.hpp"
#include "train/fixture.hpp"

namespace pantanal::train {
namespace {

TEST(Losses, AgreeWithPyTorch) {
  const Fixture f("optimisation");
  const auto x = f["logits"], t = f["targets"], w = f["pos_weight"];
  const std::pair<const char*, std::function<LossTerm(std::size_t)>> losses[] = {
      {"bce", [&](std::size_t i) { return bce_with_logits(x[i], t[i]); }},
      {"weighted_bce", [&](std::size_t i) { return bce_with_logits(x[i], t[i], w[i % w.size()]); }},
      {"focal", [&](std::size_t i) { return focal_bce_with_logits(x[i], t[i], w[i % w.size()], 2.5); }},
      {"species_focal", [&](std::size_t i) { return species_focal_loss(x[i], t[i], 2.5); }},
      {"mse", [&](std::size_t i) { return squared_error(x[i], t[i]); }},
  };
  for (const auto& [name, term] : losses) {
    const auto value = f[std::string(name) + ".value"], gradient = f[std::string(name) + ".gradient"];
    for (std::size_t i = 0; i < x.size(); ++i) {
      const LossTerm found = term(i);
      EXPECT_NEAR(found.value, value[i], 2e-7 * std::abs(value[i]) + 1e-30) << name << " at " << x[i];
      EXPECT_NEAR(found.slope, gradient[i], 2e-7 * std::abs(gradient[i]) + 1e-13) << name << " at " << x[i];
    }
  }
}

/// At the ends of what a float holds, with hard targets and focal exponents below 1, whose slope is infinite
/// at 0.
TEST(Losses, StayFinite) {
  for (const double x : {-1e4, -745.2, -40.0, 0.0, 40.0, 745.2, 1e4})
    for (const double target : {0.0, 0.015, 0.5, 1.0})
      for (const double gamma : {0.5, 1.0, 2.5})
        for (const LossTerm term :
             {bce_with_logits(x, target, 25), focal_bce_with_logits(x, target, 25, gamma),
              species_focal_loss(x, target, gamma)}) {
          EXPECT_TRUE(std::isfinite(term.value) && std::isfinite(term.slope))
              << x << " " << target << " " << gamma;
          EXPECT_GE(term.value, 0);
        }
}

TEST(Losses, SumScaleAndAdd) {
  const std::vector<float> x = kernels::random_floats(20, 1);
  const auto term = [&](std::size_t i) { return squared_error(x[i], 1); };
  std::vector<float> gradient(x.size(), 5.0f);
  const double sum = sum_loss(x.size(), gradient, 0.25, true, term);
  double expected = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    expected += term(i).value;
    EXPECT_NEAR(gradient[i], 5 + 0.25 * term(i).slope, 1e-6);
  }
  EXPECT_DOUBLE_EQ(sum, expected);
  sum_loss(x.size(), gradient, 1, false, term);
  EXPECT_NEAR(gradient[3], term(3).slope, 1e-6);
  EXPECT_DOUBLE_EQ(sum_loss(x.size(), {}, 1, false, term), expected);
}

TEST(PositiveWeights, AreCappedAboveOnly) {
  std::vector<float> labels{1, 0, 0, 1, 0, 0, 1, 1, 0, 1, 0, 0};  // 4 rows of 3 classes: 4, 1 and 0 positives
  EXPECT_EQ(positive_weights(labels, 3, 25), (std::vector<float>{0.0f, 1.5f, 4.0f}));
  EXPECT_EQ(positive_weights(labels, 3, 3), (std::vector<float>{0.0f, 1.5f, 3.0f}));
  smooth_labels(labels, 0.03f);
  EXPECT_FLOAT_EQ(labels[0], 0.985f);
  EXPECT_FLOAT_EQ(labels[1], 0.015f);
  EXPECT_LT(positive_weights(labels, 3, 25)[2], 4.0f) << "smoothed labels are counted";
}

TEST(ClassFrequencyWeights, HaveMeanOne) {
  std::vector<float> labels(1000 * 2);
  for (std::size_t i = 0; i < 249; ++i) labels[2 * i] = 1;  // frequencies 1/4 and 1/1000: weights 2 and 10
  const std::vector<float> weights = class_frequency_weights(labels, 2);
  EXPECT_FLOAT_EQ(weights[0], 2.0f / 6);
  EXPECT_FLOAT_EQ(weights[1], 10.0f / 6);
}

}  // namespace
}  // namespace pantanal::train
