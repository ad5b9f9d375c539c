#include "pantanal/ml/lgbm_classifier.hpp"

#include <filesystem>
#include <limits>
#include <random>

#include "core/refused.hpp"

namespace pantanal::ml {
namespace {

/// Labels that a step in one feature and luck decide.
struct BoostedProblem {
  Matrix<double> x{120, 4};
  std::vector<std::int64_t> y;

  explicit BoostedProblem(std::size_t classes = 2) {
    std::mt19937 random(4);
    std::normal_distribution<double> normal;
    for (double& v : x.values) v = normal(random);
    for (std::size_t r = 0; r < x.rows; ++r) {
      const double score = 2 * x(r, 1) + 0.3 * normal(random);
      y.push_back(score > 1 && classes > 2 ? 7 : score > 0 ? 5 : -2);
    }
  }
};

TEST(LgbmClassifier, RefusesOptionsThatAreOutOfRange) {
  using enum ErrorCode;
  EXPECT_TRUE(succeeded(validate(LgbmOptions{})));
  EXPECT_TRUE(refused(validate(LgbmOptions{.num_leaves = 1}), invalid_argument, {"num_leaves", "from 2"}));
  EXPECT_TRUE(refused(validate(LgbmOptions{.learning_rate = 0}), invalid_argument, {"learning_rate"}));
  EXPECT_TRUE(refused(validate(LgbmOptions{.subsample = 1.5}), invalid_argument, {"subsample", "1.5"}));
  EXPECT_TRUE(refused(validate(LgbmOptions{.reg_lambda = -1}), invalid_argument, {"reg_lambda"}));
  EXPECT_TRUE(refused(validate(LgbmOptions{.balanced = true, .scale_pos_weight = 3}), invalid_argument,
                      {"scale_pos_weight", "balanced"}));
}

TEST(LgbmClassifier, RefusesBadProblems) {
  using enum ErrorCode;
  BoostedProblem p;
  LgbmClassifier model;
  EXPECT_TRUE(refused(model.predict_proba(p.x.view()), invalid_argument, {"not fitted"}));
  EXPECT_TRUE(refused(model.state(), invalid_argument, {"not fitted"}));
  EXPECT_TRUE(refused(model.fit(p.x.view(), std::span(p.y).first(7)), invalid_argument, {"y", "7", "120"}));
  EXPECT_TRUE(
      refused(model.fit(p.x.view(), std::vector<std::int64_t>(120, 3)), invalid_argument, {"one class"}));
  p.x(3, 1) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(refused(model.fit(p.x.view(), p.y), invalid_argument, {"NaN at index 13"}));
}

TEST(LgbmClassifier, SaysWhichBuildHasIt) {
  if (have_lightgbm) GTEST_SKIP() << "this build has it";
  const BoostedProblem p;
  EXPECT_TRUE(
      refused(LgbmClassifier().fit(p.x.view(), p.y), ErrorCode::unsupported, {"PANTANAL_LIGHTGBM=ON"}));
}

TEST(LgbmClassifier, LearnsAndComesBackFromAFile) {
  if (!have_lightgbm) GTEST_SKIP() << "this build has no LightGBM";
  for (const std::size_t classes : {2u, 3u}) {
    const BoostedProblem p(classes);
    LgbmClassifier model({.n_estimators = 20, .min_child_samples = 5, .balanced = true, .random_state = 1});
    ASSERT_TRUE(succeeded(model.fit(p.x.view(), p.y)));
    ASSERT_EQ(model.classes().size(), classes);
    const auto labels = model.predict(p.x.view());
    ASSERT_TRUE(succeeded(labels));
    std::size_t right = 0;
    for (std::size_t i = 0; i < p.y.size(); ++i) right += (*labels)[i] == p.y[i];
    EXPECT_GT(right, 110u);
    const std::filesystem::path path = std::filesystem::path(::testing::TempDir()) / "lgbm.safetensors";
    const auto state = model.state();
    ASSERT_TRUE(succeeded(state));
    ASSERT_TRUE(succeeded(save_state(*state, path)));
    const auto read = load_state(path);
    ASSERT_TRUE(succeeded(read));
    const auto loaded = LgbmClassifier::from_state(*read);
    ASSERT_TRUE(succeeded(loaded));
    EXPECT_EQ(loaded->predict_proba(p.x.view())->values, model.predict_proba(p.x.view())->values);
    std::filesystem::remove(path);

    EstimatorState other = *read;
    other.settings["n_features_in_"] = 5u;
    EXPECT_TRUE(refused(LgbmClassifier::from_state(other), ErrorCode::mismatch, {"4 features", "of 5"}));
  }
}

TEST(LgbmClassifier, RefusesOtherFeatures) {
  if (!have_lightgbm) GTEST_SKIP() << "this build has no LightGBM";
  const BoostedProblem p;
  LgbmClassifier model({.n_estimators = 2});
  ASSERT_TRUE(succeeded(model.fit(p.x.view(), p.y)));
  EXPECT_TRUE(refused(model.predict_proba(Matrix<double>(3, 5).view()), ErrorCode::invalid_argument,
                      {"5 features", "4"}));
}

}  // namespace
}  // namespace pantanal::ml
