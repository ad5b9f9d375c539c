#include "pantanal/audio/normalize.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>
#include <vector>

namespace pantanal::audio {
namespace {

std::vector<float> normalized(std::vector<float> window, Normalize kind) {
  normalize(window, kind);
  return window;
}

TEST(Normalize, NoneLeavesEveryBit) {
  const std::vector<float> window = {0.1f, -3, 1e-40f, -0.0f};
  EXPECT_EQ(normalized(window, Normalize::none), window);
}

TEST(Normalize, PeakRemovesTheMeanAndScalesToAQuarter) {
  EXPECT_EQ(normalized({1, 2, 3}, Normalize::peak), (std::vector<float>{-0.25f, 0, 0.25f}));
  EXPECT_EQ(normalized({4, 0, 0, 0}, Normalize::peak),
            (std::vector<float>{0.25f, -1 / 12.f, -1 / 12.f, -1 / 12.f}));
}

TEST(Normalize, PeakOfALongNoisyWindow) {
  std::mt19937 random(3);
  std::normal_distribution<float> noise(0.3f, 0.01f);
  std::vector<float> window(160'000);
  for (float& x : window) x = noise(random);
  normalize(window, Normalize::peak);
  float peak = 0;
  for (const float x : window) peak = std::max(peak, std::fabs(x));
  EXPECT_EQ(peak, 0.25f);
  EXPECT_NEAR(std::accumulate(window.begin(), window.end(), 0.0) / 160'000, 0, 1e-9);
}

TEST(Normalize, SilenceStaysSilence) {
  for (const float level : {0.0f, 0.1f, -0.7f, 1e15f, 1e-42f}) {
    const std::vector<float> window = normalized(std::vector<float>(160'000, level), Normalize::peak);
    EXPECT_EQ(window, std::vector<float>(160'000, 0.0f)) << level;
  }
}

TEST(Normalize, PeakIsFiniteAtTheExtremes) {
  EXPECT_EQ(normalized({1e15f, -1e15f}, Normalize::peak), (std::vector<float>{0.25f, -0.25f}));
  EXPECT_EQ(normalized({1e-45f, -1e-45f}, Normalize::peak), (std::vector<float>{0.25f, -0.25f}));
  EXPECT_TRUE(normalized({}, Normalize::peak).empty());
}

}  // namespace
}  // namespace pantanal::audio
