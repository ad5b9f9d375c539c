#include "pantanal/pipeline/per_class_thresholds.hpp"

#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

TEST(PerClassThresholds, AgreeWithTheOracle) {
  for_each_golden([](const Golden& golden) {
    const auto best = optimize_per_class_thresholds(golden.array("oof"), golden.labels.y_full());
    ASSERT_TRUE(succeeded(best));
    const Scores expected = golden.array("thresholds");
    for (std::size_t c = 0; c < golden.classes.size(); ++c) {
      EXPECT_EQ(best->thresholds[c], expected(0, c));
      EXPECT_NEAR(best->f1[c], expected(1, c), 1e-7);
    }
    expect_close(apply_per_class_thresholds(golden.array("post_4"), best->thresholds),
                 golden.array("post_5"));
  });
}

TEST(PerClassThresholds, AHalfChangesNothing) {
  Scores scores(1001, 1);
  for (std::size_t i = 0; i < scores.rows; ++i) scores(i, 0) = static_cast<float>(i) / 1000.0f;
  const auto applied = apply_per_class_thresholds(scores, std::vector{0.5f});
  ASSERT_TRUE(succeeded(applied));
  EXPECT_EQ(applied->values, scores.values);
}

TEST(PerClassThresholds, MoveToAHalf) {
  Scores scores(3, 1);
  scores.values = {0.25f, 0.125f, 0.625f};
  const auto applied = apply_per_class_thresholds(scores, std::vector{0.25f});
  ASSERT_TRUE(succeeded(applied));
  EXPECT_NEAR(applied->values[0], 0.5, 1e-6);
  EXPECT_NEAR(applied->values[1], 0.25, 1e-6);
  EXPECT_NEAR(applied->values[2], 0.75, 1e-6);
}

TEST(PerClassThresholds, StayFiniteAtTheEnds) {
  Scores scores(2, 2);
  scores.values = {0, 1, 1, 0};
  const auto applied = apply_per_class_thresholds(scores, std::vector{0.0f, 1.0f});
  ASSERT_TRUE(succeeded(applied));
  EXPECT_TRUE(all_finite(applied->values));
}

TEST(PerClassThresholds, KeepTheFirstBestAndAHalfWithoutAny) {
  Scores scores(2, 2);
  scores.values = {0.9f, 0.1f, 0.1f, 0.2f};
  MultiHot y(2, 2);
  y(0, 0) = 1;
  const auto best = optimize_per_class_thresholds(scores, y);
  ASSERT_TRUE(succeeded(best));
  EXPECT_EQ(best->thresholds, (std::vector<float>{0.25f, 0.5f}));
  EXPECT_EQ(best->f1[1], 0);
}

TEST(PerClassThresholds, RefuseBadInput) {
  EXPECT_TRUE(refused(optimize_per_class_thresholds(Scores(2, 1), MultiHot(3, 1)), ErrorCode::mismatch));
  EXPECT_TRUE(
      refused(optimize_per_class_thresholds(Scores(2, 1, NAN), MultiHot(2, 1)), ErrorCode::invalid_argument));
  EXPECT_TRUE(refused(apply_per_class_thresholds(Scores(2, 2), std::vector{0.5f}), ErrorCode::mismatch));
  for (const float bad : {-0.1f, 1.1f, NAN})
    EXPECT_TRUE(refused(apply_per_class_thresholds(Scores(1, 1), std::vector{bad}),
                        ErrorCode::invalid_argument, {"threshold"}));
}

}  // namespace
}  // namespace pantanal::pipeline
