#include "pantanal/pipeline/window_smoothing.hpp"

#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

Scores ramp(std::vector<float> values) {
  Scores scores(values.size(), 1);
  scores.values = std::move(values);
  return scores;
}

const std::vector<std::size_t> first{0};

TEST(WindowSmoothing, RepeatsTheEdgesAndStaysInTheFile) {
  const auto means = smooth_cols_fixed12(ramp({1, 2, 6, 100, 100, 100}), first, 0.5, 3);
  ASSERT_TRUE(succeeded(means));
  EXPECT_EQ(means->values, (std::vector<float>{1.25f, 2.75f, 5, 100, 100, 100}));
  const auto maxima = smooth_events_fixed12(ramp({1, 2, 6, 100, 0, 0}), first, 0.5, 3);
  ASSERT_TRUE(succeeded(maxima));
  EXPECT_EQ(maxima->values, (std::vector<float>{1.5f, 4, 6, 100, 50, 0}));
}

TEST(WindowSmoothing, TouchesTheGivenColumnsOnly) {
  Scores scores(12, 2);
  for (std::size_t i = 0; i < scores.values.size(); ++i) scores.values[i] = static_cast<float>(i * i);
  for (const auto& smoothed : {smooth_cols_fixed12(scores, first), smooth_events_fixed12(scores, first)}) {
    ASSERT_TRUE(succeeded(smoothed));
    EXPECT_EQ(column(*smoothed, 1), column(scores, 1));
    EXPECT_NE(column(*smoothed, 0), column(scores, 0));
  }
  EXPECT_EQ(smooth_cols_fixed12(scores, first, 0)->values, scores.values);
  EXPECT_EQ(smooth_events_fixed12(scores, {})->values, scores.values);
}

TEST(WindowSmoothing, RefusesBadInput) {
  const std::vector<std::size_t> third{2};
  EXPECT_TRUE(refused(smooth_cols_fixed12(Scores(13, 1), first), ErrorCode::mismatch, {"13 windows"}));
  EXPECT_TRUE(refused(smooth_cols_fixed12(Scores(12, 2), third), ErrorCode::invalid_argument, {"column 2"}));
  EXPECT_TRUE(
      refused(smooth_events_fixed12(Scores(12, 1, NAN), first), ErrorCode::invalid_argument, {"[0, 0]"}));
  EXPECT_TRUE(refused(smooth_cols_fixed12(Scores(12, 1, 3e38f), first, 1.9), ErrorCode::invalid_argument,
                      {"overflows"}));
}

}  // namespace
}  // namespace pantanal::pipeline
