// Mixing files: what is drawn, what it does, and that it is the same for the same stream.
#include "pantanal/train/mixup.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace pantanal::train {
namespace {

TEST(MixupFiles, DrawsAFoldedLambdaAndAPermutation) {
  double mean = 0;
  constexpr std::uint32_t rounds = 4000;
  for (std::uint32_t step = 0; step < rounds; ++step) {
    const FileMix mix = mixup_files(59, 0.4, {.seed = 3, .purpose = 1, .step = step});
    ASSERT_GE(mix.lambda, 0.5f);
    ASSERT_LE(mix.lambda, 1.0f);
    ASSERT_EQ(mix.lambda, mix.label_lambda);
    ASSERT_EQ(mix.cut_begin, mix.cut_end);
    std::vector<bool> seen(59);
    for (const std::size_t partner : mix.partner) seen.at(partner) = true;
    ASSERT_EQ(std::count(seen.begin(), seen.end(), true), 59);
    mean += double{mix.lambda} / rounds;
  }
  EXPECT_NEAR(mean, 0.83976, 0.006);  // E[max(λ, 1-λ)] for Beta(0.4, 0.4), by quadrature
}

TEST(MixupFiles, DoesNothingForOneFile) {
  EXPECT_TRUE(mixup_files(1, 0.4, {}).empty());
  EXPECT_TRUE(mixup_files(9, 0.0, {}).empty());
  EXPECT_TRUE(mixup_cutmix(1, 12, 0.4, 0.3, {}).empty());
}

TEST(MixupFiles, IsTheSameForTheSameStream) {
  const FileMix a = mixup_files(8, 0.4, {.seed = 3, .step = 2}),
                b = mixup_files(8, 0.4, {.seed = 3, .step = 2}),
                c = mixup_files(8, 0.4, {.seed = 3, .step = 3});
  EXPECT_EQ(a.lambda, b.lambda);
  EXPECT_EQ(a.partner, b.partner);
  EXPECT_NE(a.lambda, c.lambda);
}

TEST(MixupCutmix, CutsThreeTimesInTen) {
  int cuts = 0;
  constexpr std::uint32_t rounds = 4000;
  for (std::uint32_t step = 0; step < rounds; ++step) {
    const FileMix mix = mixup_cutmix(5, 12, 0.4, 0.3, {.seed = 5, .step = step});
    ASSERT_LE(mix.cut_end, 12u);
    if (mix.cut_end == mix.cut_begin) continue;
    ++cuts;
    ASSERT_FLOAT_EQ(mix.label_lambda, 1 - static_cast<float>(mix.cut_end - mix.cut_begin) / 12);
  }
  EXPECT_NEAR(cuts, 0.3 * rounds, 110);
}

TEST(ApplyMix, MixesOrCuts) {
  constexpr std::size_t files = 2, windows = 3, columns = 2, size = files * windows * columns;
  std::vector<float> x(size), y(size);
  std::iota(x.begin(), x.end(), 0.0f);
  FileMix mix;
  apply_mix(mix, x, windows, columns, 1, true, 0, files, y);
  EXPECT_EQ(x, y) << "nothing is mixed";
  mix.partner = {1, 0}, mix.lambda = 0.75f;
  apply_mix(mix, x, windows, columns, mix.lambda, true, 0, files, y);
  EXPECT_EQ(y[0], 0.25f * 6);
  EXPECT_EQ(y[11], 0.75f * 11 + 0.25f * 5);
  mix.cut_begin = 1, mix.cut_end = 2;
  apply_mix(mix, x, windows, columns, 1, true, 0, files, y);
  EXPECT_EQ(y, (std::vector<float>{0, 1, 8, 9, 4, 5, 6, 7, 2, 3, 10, 11}));
  apply_mix(mix, x, windows, columns, 0.5f, false, 0, 1, y);
  EXPECT_EQ(y[2], 0.5f * 2 + 0.5f * 8) << "labels are mixed whole";
}

}  // namespace
}  // namespace pantanal::train
