#include "pantanal/stream/window_slicer.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <span>
#include <vector>

namespace pantanal::stream {
namespace {

/// What a slicer gave for samples 1, 2, 3, ...
struct Slices {
  std::vector<std::vector<float>> windows;
  std::vector<std::size_t> recorded;
  std::vector<std::uint64_t> begins;
};

void take_ready(WindowSlicer& slicer, Slices& slices) {
  while (slicer.ready()) {
    const SlicedWindow window = slicer.window();
    EXPECT_EQ(window.index, slices.windows.size());
    slices.windows.emplace_back(window.samples.begin(), window.samples.end());
    slices.recorded.push_back(window.recorded);
    slices.begins.push_back(window.begin);
    slicer.advance();
  }
}

Slices slice(WindowSlicer slicer, std::size_t count, std::size_t block) {
  std::vector<float> samples(count);
  std::iota(samples.begin(), samples.end(), 1.0f);
  Slices slices;
  for (std::span<const float> left(samples); !left.empty();) {
    const std::size_t n = std::min({block, left.size(), slicer.room()});
    slicer.push(left.first(n));
    left = left.subspan(n);
    take_ready(slicer, slices);
  }
  slicer.end();
  take_ready(slicer, slices);
  return slices;
}

TEST(WindowSlicer, CutsWindowsThatFollowEachOther) {
  for (const std::size_t block : {1u, 3u, 100u}) {
    const Slices slices = slice(WindowSlicer(4, 4), 10, block);
    EXPECT_EQ(slices.windows, (std::vector<std::vector<float>>{{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 0, 0}}));
    EXPECT_EQ(slices.recorded, (std::vector<std::size_t>{4, 4, 2}));
    EXPECT_EQ(slices.begins, (std::vector<std::uint64_t>{0, 4, 8}));
  }
}

TEST(WindowSlicer, CutsWindowsThatOverlap) {
  const Slices slices = slice(WindowSlicer(4, 1), 6, 2);
  EXPECT_EQ(slices.windows, (std::vector<std::vector<float>>{{1, 2, 3, 4}, {2, 3, 4, 5}, {3, 4, 5, 6}}))
      << "and none of what all are over already";
  EXPECT_EQ(slice(WindowSlicer(4, 3), 5, 5).windows,
            (std::vector<std::vector<float>>{{1, 2, 3, 4}, {4, 5, 0, 0}}));
}

TEST(WindowSlicer, GivesNothingOfNothing) { EXPECT_TRUE(slice(WindowSlicer(4, 2), 0, 1).windows.empty()); }

TEST(WindowSlicer, CountsWhatWasRecorded) {
  WindowSlicer slicer(4, 2);
  slicer.mark_gap(1, 3);
  slicer.mark_gap(5, 9);
  EXPECT_EQ(slice(slicer, 12, 1).recorded, (std::vector<std::size_t>{2, 2, 1, 1, 3}));
}

TEST(WindowSlicer, JoinsGapsThatTouchAndThoseThatAreTooMany) {
  WindowSlicer touching(8, 8);
  touching.mark_gap(1, 3);
  touching.mark_gap(2, 5);
  touching.mark_gap(5, 5);
  EXPECT_EQ(slice(touching, 8, 8).recorded, (std::vector<std::size_t>{4}));

  WindowSlicer many(1000, 1000);
  for (std::uint64_t i = 0; i < 100; ++i) many.mark_gap(10 * i, 10 * i + 1);
  // 63 gaps of one sample; the last one from 630 to 991.
  EXPECT_EQ(slice(many, 1000, 7).recorded, (std::vector<std::size_t>{1000 - 63 - 361}));
}

TEST(WindowSlicer, GoesOnMarkingOnceOldGapsArePast) {
  WindowSlicer slicer(10, 5);
  std::vector<float> zeros(5);
  std::size_t recorded = 0, windows = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    slicer.mark_gap(5 * i + 1, 5 * i + 2);
    slicer.push(zeros);
    if (!slicer.ready()) continue;
    recorded += slicer.window().recorded, ++windows;
    slicer.advance();
  }
  EXPECT_EQ(windows, 999u);
  EXPECT_EQ(recorded, 8 * windows);
}

}  // namespace
}  // namespace pantanal::stream
