#include "released_architecture.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <numeric>
#include <string>

#include "checkpoint_writer.hpp"
#include "pantanal/perch/architecture_validation.hpp"

namespace pantanal::convert {
namespace {

TEST(ReleasedArchitecture, IsValidAndHas26Blocks) {
  const perch::Architecture architecture = released_architecture();
  ASSERT_TRUE(perch::validate(architecture).ok());
  ASSERT_EQ(architecture.blocks.size(), 26u);
  EXPECT_EQ(architecture.extents().back(), (perch::Extent{16, 4}));
}

TEST(ReleasedArchitecture, StridesPadsAndWidthsAreAsPublished) {
  // First block of each stage: channels in and out, kernel, stride, expansion, input and pads.
  struct Row {
    std::size_t block, in, out, kernel, stride, expand;
    perch::Extent extent;
    perch::Pads pads;
  };
  const perch::Architecture architecture = released_architecture();
  const auto extents = architecture.extents();
  for (const Row& row :
       {Row{0, 40, 24, 3, 1, 1, {249, 63}, {1, 1, 1, 1}}, Row{2, 24, 32, 3, 2, 6, {249, 63}, {1, 1, 1, 1}},
        Row{5, 32, 48, 5, 2, 6, {125, 32}, {2, 1, 2, 2}}, Row{8, 48, 96, 3, 2, 6, {63, 16}, {1, 0, 1, 1}},
        Row{13, 96, 136, 5, 1, 6, {32, 8}, {2, 2, 2, 2}}, Row{18, 136, 232, 5, 2, 6, {32, 8}, {1, 1, 2, 2}},
        Row{24, 232, 384, 3, 1, 6, {16, 4}, {1, 1, 1, 1}}}) {
    const perch::Block& block = architecture.blocks[row.block];
    EXPECT_EQ(block.in_channels, row.in);
    EXPECT_EQ(block.out_channels, row.out);
    EXPECT_EQ(block.expanded_channels, row.in * row.expand);
    EXPECT_EQ(block.se_channels, row.in / 4);
    EXPECT_EQ(block.has_expand, row.expand > 1);
    EXPECT_FALSE(block.has_skip);
    EXPECT_EQ(block.depthwise.kernel, row.kernel);
    EXPECT_EQ(block.depthwise.stride, row.stride);
    EXPECT_EQ(block.depthwise.pads, row.pads);
    EXPECT_EQ(extents[row.block], row.extent);
  }
  std::size_t skips = 0;
  for (const perch::Block& block : architecture.blocks) skips += block.has_skip;
  EXPECT_EQ(skips, 26u - 7);
}

TEST(ReleasedArchitecture, SaysWhichWidthsDiffer) {
  perch::Architecture architecture = released_architecture();
  EXPECT_FALSE(difference_from_release(architecture));
  architecture.stem.channels = 8;
  architecture.blocks[3].se_channels = 1;
  architecture.label.classes = 20;
  EXPECT_EQ(*difference_from_release(architecture),
            "not the released widths: classes 20 instead of 14795, stem channels 8 instead of 40, block 3 "
            "squeeze-and-excite channels 1 instead of 8");
  architecture.blocks[4].out_channels = architecture.head.channels = 7;
  EXPECT_EQ(*difference_from_release(architecture),
            "not the released widths: classes 20 instead of 14795, stem channels 8 instead of 40, block 3 "
            "squeeze-and-excite channels 1 instead of 8 and 2 more");
}

TEST(ReleasedFrontend, TheWindowIsASymmetricHannThatSumsToOne) {
  const auto window = hann_window(perch::Frontend());
  ASSERT_EQ(window.size(), 640u);
  EXPECT_EQ(window.front(), 0.0f);
  EXPECT_NEAR(std::accumulate(window.begin(), window.end(), 0.0), 1.0, 1e-6);
  // hanning(640)[160] = 0.5 - 0.5·cos(2π·160/639) = 0.5012291..., and the window's sum is 639/2.
  EXPECT_NEAR(window[160], 0.5012291 / 319.5, 1e-9);
  for (std::size_t i = 0; i < 640; ++i) EXPECT_NEAR(window[i], window[639 - i], 1e-10);
}

TEST(ReleasedFrontend, MelTrianglesLeaveTheDcBinOut) {
  const perch::Frontend frontend;
  const auto matrix = mel_filterbank(frontend);
  ASSERT_EQ(matrix.size(), 513u * 128u);
  std::size_t filled = 0;
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    EXPECT_TRUE(matrix[i] >= 0.0f && matrix[i] <= 1.0f);
    EXPECT_TRUE(i >= 128 || matrix[i] == 0.0f);
    filled += matrix[i] > 0.0f;
  }
  EXPECT_EQ(filled, 1007u);
}

TEST(ReleasedFrontend, TheMelMatrixIsThePublishedOne) {
  const std::filesystem::path path = PANTANAL_SOURCE_DIR "/../shared/data/tables/perch_v2_mel_filterbank.npy";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no ../shared/data/tables";
  const std::string file = read_bytes(path);
  const auto matrix = mel_filterbank(perch::Frontend());
  const std::size_t size = matrix.size() * sizeof(float);
  ASSERT_GT(file.size(), size);
  std::vector<float> published(matrix.size());
  std::memcpy(published.data(), file.data() + file.size() - size, size);
  float largest = 0.0f;
  for (std::size_t i = 0; i < matrix.size(); ++i)
    largest = std::max(largest, std::abs(matrix[i] - published[i]));
  EXPECT_LE(largest, 1.7e-5f);
  EXPECT_GT(largest, 0.0f);
}

}  // namespace
}  // namespace pantanal::convert
