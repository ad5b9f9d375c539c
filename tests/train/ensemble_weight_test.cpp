// The weight that ranks best, the first of equals.
#include "pantanal/train/ensemble_weight.hpp"

#include "core/refused.hpp"
#include "kernels/guarded.hpp"
#include "train/fixture.hpp"

namespace pantanal::train {
namespace {

TEST(EnsembleWeight, FindsTheBestOfTwentyOne) {
  const std::vector<float> labels{1, 0, 1, 0, 1, 0}, good{3, 0, 2, 1, 4, -1}, bad{0, 3, 1, 2, -1, 4};
  const auto towards = optimize_ensemble_weight(good, bad, labels, 1);
  ASSERT_TRUE(succeeded(towards));
  EXPECT_EQ(towards->weights.size(), 21u);
  EXPECT_EQ(towards->auc, 1);
  EXPECT_NEAR(towards->weight, 0.55, 1e-12) << "the first that ranks all right";
  EXPECT_EQ(towards->aucs.front(), 0);
  const auto away = optimize_ensemble_weight(bad, good, labels, 1);
  ASSERT_TRUE(succeeded(away));
  EXPECT_EQ(away->weight, 0) << "the first of equals";
  EXPECT_NEAR(away->weights.back(), 1, 1e-12);
}

TEST(EnsembleWeight, ScoresByTheMacroAucOfScikitLearn) {
  const Fixture f("optimisation");
  const auto found = optimize_ensemble_weight(f["auc.scores"], f["auc.scores"], f["auc.labels"], 6);
  ASSERT_TRUE(succeeded(found));
  EXPECT_NEAR(found->aucs.front(), double{f.numbers["auc"]}, 1e-12);
}

TEST(EnsembleWeight, RefusesOtherSizes) {
  const std::vector<float> six(6), four(4);
  EXPECT_TRUE(
      refused(optimize_ensemble_weight(six, four, six, 2), ErrorCode::invalid_argument, {"6, 4 and 6"}));
  EXPECT_TRUE(refused(optimize_ensemble_weight({}, {}, {}, 2), ErrorCode::invalid_argument));
}

}  // namespace
}  // namespace pantanal::train
