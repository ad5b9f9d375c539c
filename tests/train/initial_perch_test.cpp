// The models that trainings start from: drawn by seed, scaled to the data, with another label head.
#include "pantanal/train/initial_perch.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/refused.hpp"
#include "train/small_perch.hpp"

namespace pantanal::train {
namespace {

TEST(InitialPerch, IsValidAndDrawnBySeed) {
  const SmallPerch small;
  const auto draw = [&](std::uint64_t seed) {
    return initial_perch(small.architecture, {"a", "b", "c"}, seed);
  };
  EXPECT_TRUE(succeeded(perch::validate(draw(1))));
  EXPECT_TRUE(same_tensors(draw(1), draw(1)));
  EXPECT_FALSE(same_tensors(draw(1), draw(2)));
}

TEST(CalibratedPerch, HasConvolutionsOfMeanZeroAndDeviationOne) {
  const SmallPerch small(16);
  const perch::Model model = small.start();
  PerchStep step(small.architecture, {}, {.batch = 16});
  ASSERT_TRUE(succeeded(step.network().parameters().load(perch_state(model, {}))));
  step.gradients(small.data());
  for (const autograd::ConvolutionOutput& out : step.network().convolutions()) {
    const std::size_t rows = 16 * out.positions;
    double sum = 0, squares = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      const double x = out.sum.row(r)[0] - (out.skip ? out.skip[r * out.sum.stride] : 0.0f);
      sum += x, squares += x * x;
    }
    EXPECT_NEAR(sum / static_cast<double>(rows), 0, 1e-3) << out.name;
    EXPECT_NEAR(std::sqrt(squares / static_cast<double>(rows)), out.skip ? 1.0 / 3 : 1.0, 1e-2) << out.name;
  }
}

TEST(CalibratedPerch, RefusesNaN) {
  SmallPerch small(4);
  small.inputs[small.inputs.size() - 1] = NAN;
  EXPECT_FALSE(calibrated_perch(initial_perch(small.architecture, {"a", "b", "c"}, 1), small.data()));
}

TEST(WithNewLabelHead, ReplacesTheLabelsAndNothingElse) {
  const SmallPerch small;
  const perch::Model model = small.start(), changed = with_new_label_head(model, {"x", "y"}, 5, 1);
  EXPECT_TRUE(succeeded(perch::validate(changed)));
  EXPECT_EQ(changed.values("label.prototypes").size(), 2u * 5 * 20);
  for (const auto& [name, tensor] : model.tensors)
    if (!name.starts_with("label.")) {
      EXPECT_TRUE(std::ranges::equal(tensor.values, changed.values(name))) << name;
    }
}

}  // namespace
}  // namespace pantanal::train
