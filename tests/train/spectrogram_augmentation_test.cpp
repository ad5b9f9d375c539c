// Augmented spectrograms: nothing without options, and each option alone.
#include "pantanal/train/spectrogram_augmentation.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace pantanal::train {
namespace {

constexpr SpectrogramSize small_spectrogram{10, 6, -1.15};

struct Augmented {
  explicit Augmented(const SpectrogramAugmentation& options, std::uint64_t seed = 1)
      : own(60), other(60), to(60) {
    for (std::size_t i = 0; i < 60; ++i)
      own[i] = static_cast<float>(i) / 60 - 1, other[i] = static_cast<float>(i % 7) / 7 - 1;
    mixed = augment_spectrogram(own, other, small_spectrogram, options, Random({.seed = seed}), to);
  }
  std::vector<float> own, other, to;
  bool mixed;
};

TEST(SpectrogramAugmentation, LeavesThingsAloneByDefault) {
  const Augmented a({});
  EXPECT_FALSE(a.mixed);
  EXPECT_EQ(a.to, a.own);
}

TEST(SpectrogramAugmentation, MixesByTheGreater) {
  const Augmented a({.mix_probability = 1});
  EXPECT_TRUE(a.mixed);
  for (std::size_t i = 0; i < 60; ++i) EXPECT_EQ(a.to[i], std::max(a.own[i], a.other[i]));
}

TEST(SpectrogramAugmentation, ShiftsTheLevelNotBelowSilence) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Augmented a({.level = 0.4}, seed);
    const float level = a.to[59] - a.own[59];
    EXPECT_LE(std::abs(level), 0.4f + 1e-6f);
    for (std::size_t i = 0; i < 60; ++i) EXPECT_NEAR(a.to[i], std::max(a.own[i] + level, -1.15f), 1e-6);
  }
}

TEST(SpectrogramAugmentation, RollsByUpToTheShift) {
  std::vector<int> seen(10);
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Augmented a({.shift_frames = 2}, seed);
    for (std::size_t shift = 0; shift < 10; ++shift)
      if (a.to[0] == a.own[shift * 6]) ++seen[shift];
  }
  for (std::size_t shift = 0; shift < 10; ++shift)
    EXPECT_EQ(seen[shift] > 0, shift <= 2 || shift >= 8) << shift;
}

TEST(SpectrogramAugmentation, MasksWholeFramesAndBands) {
  bool some = false;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Augmented a({.mask_frames = 3, .mask_bands = 2}, seed);
    for (std::size_t i = 0; i < 60; ++i) {
      EXPECT_TRUE(a.to[i] == a.own[i] || a.to[i] == -1.15f);
      some = some || a.to[i] != a.own[i];
    }
  }
  EXPECT_TRUE(some);
}

}  // namespace
}  // namespace pantanal::train
