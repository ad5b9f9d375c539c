#include "pantanal/pipeline/delta_smooth.hpp"

#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

TEST(DeltaSmooth, AgreesWithTheOracle) {
  for_each_golden([](const Golden& golden) {
    const Scores probs = golden.array("post_3");
    expect_close(adaptive_delta_smooth(probs, 12, golden.real("alpha")), golden.array("post_4"));
    expect_close(delta_shift_smooth(probs, 12, golden.number("shift")), golden.array("delta_shift"));
  });
}

TEST(DeltaSmooth, AdaptiveLeavesEdgesAndSureWindows) {
  Scores probs(4, 2);
  probs.values = {0.5f, 0, 0.25f, 0.5f, 1, 0, 0, 0.5f};
  const auto smoothed = adaptive_delta_smooth(probs, 4, 0.5f);
  ASSERT_TRUE(succeeded(smoothed));
  EXPECT_EQ(smoothed->values, (std::vector<float>{0.5f, 0, 0.375f, 0.375f, 1, 0, 0, 0.5f}));
}

TEST(DeltaSmooth, RefusesBadInput) {
  EXPECT_TRUE(refused(adaptive_delta_smooth(Scores(11, 1)), ErrorCode::mismatch));
  EXPECT_TRUE(refused(delta_shift_smooth(Scores(11, 1)), ErrorCode::mismatch));
  EXPECT_TRUE(refused(adaptive_delta_smooth(Scores(12, 1, NAN)), ErrorCode::invalid_argument));
  EXPECT_TRUE(refused(delta_shift_smooth(Scores(12, 1, NAN)), ErrorCode::invalid_argument));
}

}  // namespace
}  // namespace pantanal::pipeline
