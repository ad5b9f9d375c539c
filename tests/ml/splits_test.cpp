#include "pantanal/ml/splits.hpp"

#include <set>

#include "ml/fixtures.hpp"

namespace pantanal::ml {
namespace {

TEST(Splits, GroupKFoldAgreesWithScikitLearn) {
  const FixtureCase c = load_cases("splits").at(0);
  const auto folds = group_k_fold(c.integers.at("groups"), 4);
  ASSERT_TRUE(succeeded(folds));
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(signed_copy((*folds)[i].test), c.integers.at("test." + std::to_string(i)));
}

TEST(Splits, EqualGroupsGoLastFirst) {
  const std::vector<std::int64_t> groups{0, 0, 1, 1, 2, 2};
  const auto folds = group_k_fold(groups, 3);
  ASSERT_TRUE(succeeded(folds));
  EXPECT_EQ((*folds)[0].test, (std::vector<std::size_t>{4, 5}));
  EXPECT_EQ((*folds)[2].test, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ((*folds)[2].train, (std::vector<std::size_t>{2, 3, 4, 5}));
}

TEST(Splits, NamedGroupsAreInAlphabeticalOrder) {
  const std::vector<std::string> groups{"d", "a", "c", "b", "d", "a", "c", "b", "e", "e", "e"};
  const auto fold = group_k_fold_of(groups, 3);
  ASSERT_TRUE(succeeded(fold));
  EXPECT_EQ(*fold, (std::vector<std::size_t>{1, 2, 2, 1, 1, 2, 2, 1, 0, 0, 0}));
  EXPECT_TRUE(refused(group_k_fold_of(groups, 6), ErrorCode::invalid_argument, {"n_splits", "6", "5"}));
  EXPECT_TRUE(refused(group_k_fold_of({}, 2), ErrorCode::invalid_argument, {"n_splits", "2", "0"}));
}

TEST(Splits, ShuffledGroupsStayTogether) {
  std::vector<std::int64_t> groups;
  for (std::int64_t i = 0; i < 100; ++i) groups.push_back(i * i % 11);
  const auto folds = group_k_fold(groups, 3, 5u);
  ASSERT_TRUE(succeeded(folds));
  for (const Split& fold : *folds) {
    std::set<std::int64_t> train;
    for (const std::size_t i : fold.train) train.insert(groups[i]);
    for (const std::size_t i : fold.test) EXPECT_FALSE(train.contains(groups[i]));
    EXPECT_EQ(fold.train.size() + fold.test.size(), 100u);
  }
}

TEST(Splits, StratifiedShuffleSplitAgreesWithScikitLearn) {
  const FixtureCase c = load_cases("splits").at(1);
  const auto splits = stratified_shuffle_splits(c.integers.at("y"), 3, {.share = 0.23}, {}, 5);
  ASSERT_TRUE(succeeded(splits));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(signed_copy((*splits)[i].train), c.integers.at("train." + std::to_string(i)));
    EXPECT_EQ(signed_copy((*splits)[i].test), c.integers.at("test." + std::to_string(i)));
  }
}

TEST(Splits, RefuseWhatCannotBeSplit) {
  const std::vector<std::int64_t> groups{0, 1, 1}, rare{0, 0, 1};
  EXPECT_TRUE(refused(group_k_fold(groups, 3), ErrorCode::invalid_argument, {"n_splits", "3", "2"}));
  EXPECT_TRUE(refused(group_k_fold(groups, 1), ErrorCode::invalid_argument, {"n_splits"}));
  EXPECT_TRUE(refused(stratified_shuffle_splits(rare, 1, {.share = 0.5}, {}, 0), ErrorCode::invalid_argument,
                      {"class 1", "1 member"}));
  RandomState random(0);
  EXPECT_TRUE(
      refused(shuffle_split(3, {.share = 1.5}, {}, random), ErrorCode::invalid_argument, {"test_size"}));
  EXPECT_TRUE(refused(shuffle_split(3, {.count = 2}, {.count = 2}, random), ErrorCode::invalid_argument,
                      {"4 samples", "3"}));
}

}  // namespace
}  // namespace pantanal::ml
