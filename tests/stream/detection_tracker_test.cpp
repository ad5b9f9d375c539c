#include "pantanal/stream/detection_tracker.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace pantanal::stream {
namespace {

std::vector<Detection> copy(std::span<const Detection> detections) {
  return {detections.begin(), detections.end()};
}

TEST(DetectionTracker, JoinsWindowsAndGivesThemOutOnceTheyAreOver) {
  DetectionTracker tracker(2, {.threshold = 1});
  EXPECT_TRUE(tracker.update(std::vector{0.f, 1.f}, 0, 5).empty());
  EXPECT_TRUE(tracker.update(std::vector{0.f, 3.f}, 5, 10).empty());
  EXPECT_TRUE(tracker.update(std::vector{2.f, 2.f}, 10, 15).empty());
  const auto ended = copy(tracker.update(std::vector{2.f, 0.99f}, 15, 20));
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].label, 1u);
  EXPECT_EQ(ended[0].start_s, 0);
  EXPECT_EQ(ended[0].end_s, 15);
  EXPECT_EQ(ended[0].peak_logit, 3);
  EXPECT_EQ(ended[0].peak_s, 5);
  EXPECT_EQ(ended[0].windows, 3u);
  const auto rest = copy(tracker.interrupt());
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].label, 0u);
  EXPECT_EQ(rest[0].end_s, 20);
  EXPECT_TRUE(tracker.interrupt().empty());
}

TEST(DetectionTracker, StartsAfreshAfterTheEnd) {
  DetectionTracker tracker(1, {.threshold = -1});
  (void)tracker.update(std::vector{5.f}, 0, 5);
  (void)tracker.update(std::vector{-2.f}, 5, 10);
  (void)tracker.update(std::vector{-0.5f}, 10, 15);
  const auto ended = copy(tracker.interrupt());
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].start_s, 10);
  EXPECT_EQ(ended[0].peak_logit, -0.5f);
  EXPECT_EQ(ended[0].windows, 1u);
}

TEST(DetectionTracker, CutsWhatLastsIntoPieces) {
  DetectionTracker tracker(1, {.threshold = 0, .longest_s = 20});
  std::vector<Detection> all;
  for (int i = 0; i < 10; ++i)
    for (const Detection& piece : tracker.update(std::vector{1.f}, 5 * i, 5 * i + 5)) all.push_back(piece);
  for (const Detection& piece : tracker.interrupt()) all.push_back(piece);
  ASSERT_EQ(all.size(), 3u);
  std::uint64_t windows = 0;
  for (const Detection& piece : all) {
    EXPECT_LE(piece.end_s - piece.start_s, 20);
    windows += piece.windows;
  }
  EXPECT_EQ(windows, 10u);
}

}  // namespace
}  // namespace pantanal::stream
