#include "pantanal/pipeline/file_level_confidence_scale.hpp"

#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

TEST(FileLevelConfidenceScale, AgreesWithTheOracle) {
  for_each_golden([](const Golden& golden) {
    expect_close(file_level_confidence_scale(golden.array("post_1"), 12,
                                             static_cast<std::size_t>(golden.number("top_k"))),
                 golden.array("post_2"));
  });
}

TEST(FileLevelConfidenceScale, TakesAllWindowsIfThereAreFewer) {
  Scores preds(2, 1);
  preds.values = {0.25f, 0.75f};
  const auto scaled = file_level_confidence_scale(preds, 2, 9);
  ASSERT_TRUE(succeeded(scaled));
  EXPECT_EQ(scaled->values, (std::vector<float>{0.125f, 0.375f}));
}

TEST(FileLevelConfidenceScale, RefusesBadInput) {
  EXPECT_TRUE(
      refused(file_level_confidence_scale(Scores(12, 1), 12, 0), ErrorCode::invalid_argument, {"top_k"}));
  EXPECT_TRUE(refused(file_level_confidence_scale(Scores(11, 1)), ErrorCode::mismatch));
  EXPECT_TRUE(refused(file_level_confidence_scale(Scores(12, 1, NAN)), ErrorCode::invalid_argument));
  EXPECT_TRUE(
      refused(file_level_confidence_scale(Scores(12, 1, 1e30f)), ErrorCode::invalid_argument, {"overflows"}));
}

}  // namespace
}  // namespace pantanal::pipeline
