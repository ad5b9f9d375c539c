// Folds against scikit-learn's on groups of different sizes, and the rule for equal ones.
#include "pantanal/train/group_k_fold.hpp"

#include "train/fixture.hpp"

namespace pantanal::train {
namespace {

TEST(GroupKFold, AgreesWithScikitLearn) {
  const Fixture f("optimisation");
  const auto groups = f.numbers["groups"].get<std::vector<std::string>>();
  const auto folds = group_k_fold(groups, 5);
  ASSERT_TRUE(succeeded(folds));
  EXPECT_EQ(*folds, f.numbers["folds"].get<std::vector<std::size_t>>());
}

TEST(GroupKFold, GivesEqualGroupsOutFromTheLast) {
  const auto folds = group_k_fold(std::vector<std::string>{"a", "b", "c", "d"}, 3);
  ASSERT_TRUE(succeeded(folds));
  EXPECT_EQ(*folds, (std::vector<std::size_t>{0, 2, 1, 0}));
}

TEST(GroupKFold, RefusesEmptyFolds) {
  const std::vector<std::string> groups{"a", "b", "a"};
  EXPECT_TRUE(refused(group_k_fold(groups, 3), ErrorCode::invalid_argument, {"3 folds of 2 groups"}));
  EXPECT_TRUE(refused(group_k_fold(groups, 1), ErrorCode::invalid_argument, {"at least two folds"}));
  EXPECT_TRUE(refused(group_k_fold({}, 2), ErrorCode::invalid_argument, {"0 groups"}));
}

}  // namespace
}  // namespace pantanal::train
