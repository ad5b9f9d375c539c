#include "pantanal/pipeline/rank_aware_scaling.hpp"

#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

TEST(RankAwareScaling, AgreesWithTheOracle) {
  for_each_golden([](const Golden& golden) {
    expect_close(rank_aware_scaling(golden.array("post_2"), 12, golden.real("power")),
                 golden.array("post_3"));
  });
}

TEST(RankAwareScaling, ScalesByTheFilesLargest) {
  Scores scores(4, 1);
  scores.values = {0.25f, 0.5f, 0, 0};
  const auto scaled = rank_aware_scaling(scores, 2, 2);
  ASSERT_TRUE(succeeded(scaled));
  EXPECT_EQ(scaled->values, (std::vector<float>{0.0625f, 0.125f, 0, 0}));
}

TEST(RankAwareScaling, RefusesBadInput) {
  EXPECT_TRUE(refused(rank_aware_scaling(Scores(12, 1, -0.5f)), ErrorCode::invalid_argument, {"-0.5"}));
  EXPECT_TRUE(refused(rank_aware_scaling(Scores(11, 1)), ErrorCode::mismatch));
  EXPECT_TRUE(refused(rank_aware_scaling(Scores(12, 1, NAN)), ErrorCode::invalid_argument));
  EXPECT_TRUE(refused(rank_aware_scaling(Scores(12, 1), 12, -1), ErrorCode::invalid_argument, {"overflows"}));
}

}  // namespace
}  // namespace pantanal::pipeline
