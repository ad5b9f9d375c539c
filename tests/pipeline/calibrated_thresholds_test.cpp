#include "pantanal/pipeline/calibrated_thresholds.hpp"

#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

using Values = std::vector<float>;

/// What the oracle calibrates with: p², which moves the thresholds as a fitted curve would.
Result<Values> square(std::span<const float> p, std::span<const std::uint8_t>) {
  Values squares;
  for (const float x : p) squares.push_back(x * x);
  return squares;
}

TEST(CalibratedThresholds, AgreeWithTheOracle) {
  for_each_golden([](const Golden& golden) {
    const auto found = calibrate_and_optimize_thresholds(golden.array("oof"), golden.labels.y_full(), square,
                                                         default_threshold_grid, 3);
    ASSERT_TRUE(succeeded(found));
    const Scores expected = golden.array("calibrated_thresholds");
    EXPECT_TRUE(std::ranges::equal(*found, expected.row(0)));
  });
}

TEST(CalibratedThresholds, TakeTheLargestOfAFile) {
  Scores windows(4, 2);
  windows.values = {-1, 2, -3, 1, 5, 0, 6, -7};
  const auto files = file_level_max(windows, 2);
  ASSERT_TRUE(succeeded(files));
  EXPECT_EQ(files->values, (Values{-1, 2, 6, 0}));
  EXPECT_TRUE(refused(file_level_max(windows, 3), ErrorCode::mismatch, {"4 windows"}));
}

TEST(CalibratedThresholds, NeedThreePositiveFilesAndCountTheThresholdItself) {
  Scores probs(4, 1);
  probs.values = {0.25f, 0.5f, 0.5f, 0.5f};
  MultiHot y(4, 1);
  const auto plain = [](std::span<const float> p, std::span<const std::uint8_t>) {
    return Result<Values>(Values(p.begin(), p.end()));
  };
  const Values grid{0.25f, 0.5f, 0.75f};
  y.values = {0, 0, 1, 1};
  EXPECT_EQ(*calibrate_and_optimize_thresholds(probs, y, plain, Values{0.25f}, 1), Values{0.5f});
  y.values = {0, 1, 1, 1};
  EXPECT_EQ(*calibrate_and_optimize_thresholds(probs, y, plain, grid, 1), Values{0.5f});
  EXPECT_EQ(*calibrate_and_optimize_thresholds(probs, y, plain, Values{0.75f}, 1), Values{0.5f});
  EXPECT_EQ(*calibrate_and_optimize_thresholds(probs, y, plain, Values{0.25f, 0.1f}, 1), Values{0.25f});
}

TEST(CalibratedThresholds, RefuseBadInputAndBadCalibrations) {
  const MultiHot y(3, 1, 1);
  const Scores probs(3, 1, 0.5f);
  const auto with = [&](Result<Values> result) {
    return calibrate_and_optimize_thresholds(
        probs, y, [&](std::span<const float>, std::span<const std::uint8_t>) { return result; },
        default_threshold_grid, 1);
  };
  EXPECT_TRUE(refused(with(Values{1}), ErrorCode::invalid_argument, {"1 values", "3 finite"}));
  EXPECT_TRUE(refused(with(Values{1, NAN, 1}), ErrorCode::invalid_argument));
  EXPECT_TRUE(
      refused(with(Error{ErrorCode::internal, "isotonic", "", ""}), ErrorCode::internal, {"isotonic"}));
  EXPECT_TRUE(refused(calibrate_and_optimize_thresholds(Scores(3, 1, NAN), y, square, {}, 1),
                      ErrorCode::invalid_argument));
  EXPECT_TRUE(refused(calibrate_and_optimize_thresholds(probs, MultiHot(3, 2), square), ErrorCode::mismatch));
  EXPECT_TRUE(
      refused(calibrate_and_optimize_thresholds(probs, y, square), ErrorCode::mismatch, {"3 windows"}));
}

}  // namespace
}  // namespace pantanal::pipeline
