#include "pantanal/pipeline/class_features.hpp"

#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

TEST(ClassFeatures, AgreeWithTheOracle) {
  for_each_golden([](const Golden& golden) {
    const auto first = [&](const char* name) { return column(golden.array(name), 0); };
    expect_close(build_class_features(golden.array("projected"), first("raw"), first("prior"), first("base")),
                 golden.array("features"));
  });
}

TEST(ClassFeatures, Are142With128Components) {
  const std::vector<float> zeros(12);
  const auto features = build_class_features(Scores(12, 128), zeros, zeros, zeros);
  ASSERT_TRUE(succeeded(features));
  EXPECT_EQ(features->columns, 142u);
}

TEST(ClassFeatures, SeeNeighboursAndTheFile) {
  const std::vector<float> v{1, 3, 8, 5, 5, 5};
  const auto seq = seq_features_1d(v, 3);
  ASSERT_TRUE(succeeded(seq));
  EXPECT_EQ(seq->prev, (std::vector<float>{1, 1, 3, 5, 5, 5}));
  EXPECT_EQ(seq->next, (std::vector<float>{3, 8, 8, 5, 5, 5}));
  EXPECT_EQ(seq->mean, (std::vector<float>{4, 4, 4, 5, 5, 5}));
  EXPECT_EQ(seq->max, (std::vector<float>{8, 8, 8, 5, 5, 5}));
  EXPECT_NEAR(seq->stddev[0], std::sqrt(26.0 / 3), 1e-6);
  EXPECT_EQ(seq->stddev[5], 0);
}

TEST(ClassFeatures, RefuseBadInput) {
  const std::vector<float> good(12), shorter(11), huge(12, 3e38f), bad(12, NAN);
  const Scores projected(12, 2);
  EXPECT_TRUE(refused(seq_features_1d(shorter), ErrorCode::mismatch, {"11 windows"}));
  EXPECT_TRUE(refused(seq_features_1d(good, 0), ErrorCode::mismatch));
  EXPECT_TRUE(refused(seq_features_1d(bad), ErrorCode::invalid_argument));
  EXPECT_TRUE(
      refused(build_class_features(projected, good, shorter, good), ErrorCode::mismatch, {"a column of 11"}));
  EXPECT_TRUE(
      refused(build_class_features(projected, bad, good, good), ErrorCode::invalid_argument, {"NaN"}));
  EXPECT_TRUE(
      refused(build_class_features(projected, huge, huge, good), ErrorCode::invalid_argument, {"overflows"}));
  EXPECT_TRUE(
      refused(build_class_features(Scores(12, 2, NAN), good, good, good), ErrorCode::invalid_argument));
}

}  // namespace
}  // namespace pantanal::pipeline
