// The macro AUC against scikit-learn's, with ties and classes that have no positive.
#include "pantanal/train/macro_auc.hpp"

#include "train/fixture.hpp"

namespace pantanal::train {
namespace {

TEST(MacroAuc, AgreesWithScikitLearn) {
  const Fixture f("optimisation");
  EXPECT_NEAR(macro_auc_skip_empty(f["auc.labels"], f["auc.scores"], 6), double{f.numbers["auc"]}, 1e-12);
}

TEST(MacroAuc, IsZeroWithoutAClassToScore) {
  const std::vector<float> none(6, 0.0f), all(6, 1.0f), scores{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(macro_auc_skip_empty(none, scores, 2), 0);
  EXPECT_EQ(macro_auc_skip_empty(all, scores, 2), 0);
}

TEST(MacroAuc, CountsTiesHalf) {
  const std::vector<float> labels{0, 1, 0, 1}, scores{1, 1, 0, 2};
  EXPECT_DOUBLE_EQ(roc_auc(labels, scores, 1, 0), 3.5 / 4);
}

}  // namespace
}  // namespace pantanal::train
