#include "savedmodel/flax_leaves.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>

#include "released_architecture.hpp"

namespace pantanal::convert {
namespace {

std::vector<Shape> shapes_of(const std::vector<FlaxLeaf>& leaves) {
  std::vector<Shape> shapes;
  for (const FlaxLeaf& leaf : leaves) shapes.push_back(leaf.shape);
  return shapes;
}

std::vector<Shape> released_shapes() { return shapes_of(flax_leaves(released_architecture())); }

std::string leaves_error(const std::vector<Shape>& shapes) {
  const auto architecture = architecture_of_leaves(shapes, "v.index");
  EXPECT_FALSE(architecture.ok());
  return architecture.ok() ? "" : architecture.error().message();
}

TEST(FlaxLeaves, AreNumberedInTextOrder) {
  const auto leaves = flax_leaves(released_architecture());
  ASSERT_EQ(leaves.size(), 497u);
  const std::pair<std::size_t, const char*> some[] = {{0, "batch_stats/Head_0/BatchNorm/mean"},
                                                      {2, "batch_stats/MBConv_0/DepthwiseBatchNorm/mean"},
                                                      {10, "batch_stats/MBConv_10/DepthwiseBatchNorm/mean"},
                                                      {70, "batch_stats/MBConv_2/DepthwiseBatchNorm/mean"},
                                                      {155, "batch_stats/Stem_0/BatchNorm/var"},
                                                      {156, "params/Head_0/BatchNorm/bias"},
                                                      {184, "params/MBConv_10/ExpandConv/kernel"},
                                                      {493, "params/Stem_0/Conv/kernel"},
                                                      {494, "params/head/bias"},
                                                      {495, "params/head/protop_kernel"},
                                                      {496, "params/head/prototypes"}};
  for (const auto& [number, path] : some) EXPECT_EQ(leaves[number].path, path);
  EXPECT_EQ(leaves[496].shape, (Shape{14795, 1536, 4}));
  EXPECT_EQ(leaves[493].shape, (Shape{3, 3, 1, 40}));
  EXPECT_EQ(leaves[184].shape, (Shape{1, 1, 96, 576}));
}

TEST(FlaxLeaves, CountAsManyParametersAsPublished) {
  std::int64_t backbone = 0, head = 0;
  for (const FlaxLeaf& leaf : flax_leaves(released_architecture()))
    (leaf.path.starts_with("params/head/") ? head : backbone) += element_count(leaf.shape).value();
  EXPECT_EQ(backbone, 10'782'808);
  EXPECT_EQ(head, 90'974'455);
}

TEST(FlaxLeaves, AreThePublishedOnes) {
  const std::filesystem::path path =
      PANTANAL_SOURCE_DIR "/../shared/data/tables/perch_v2_savedmodel_leaves.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no ../shared/data/tables";
  std::ifstream file(path);
  const auto published = nlohmann::json::parse(file);
  const auto leaves = flax_leaves(released_architecture());
  ASSERT_EQ(published.size(), leaves.size());
  for (std::size_t i = 0; i < leaves.size(); ++i)
    EXPECT_EQ(published.at(std::to_string(i)).get<std::string>(), leaves[i].path);
}

TEST(ArchitectureOfLeaves, FindsTheReleasedOne) {
  const auto architecture = architecture_of_leaves(released_shapes(), "v.index");
  ASSERT_TRUE(architecture.ok()) << architecture.error().message();
  EXPECT_FALSE(difference_from_release(*architecture));
}

TEST(ArchitectureOfLeaves, FindsOtherWidths) {
  perch::Architecture reduced = released_architecture();
  reduced.stem.channels = 7;
  std::size_t channels = 7;
  for (std::size_t i = 0; i < reduced.blocks.size(); ++i) {
    perch::Block& block = reduced.blocks[i];
    block.in_channels = channels;
    block.expanded_channels = block.has_expand ? 11 + i : channels;
    block.se_channels = 2 + i % 3;
    if (!block.has_skip) channels = 3 + i;
    block.out_channels = channels;
  }
  reduced.head.channels = 19;
  reduced.label = {.classes = 5, .prototypes = 3};
  const auto found = architecture_of_leaves(shapes_of(flax_leaves(reduced)), "v.index");
  ASSERT_TRUE(found.ok()) << found.error().message();
  EXPECT_EQ(shapes_of(flax_leaves(*found)), shapes_of(flax_leaves(reduced)));
  EXPECT_EQ(found->label.classes, 5u);
  EXPECT_EQ(found->label.prototypes, 3u);
  EXPECT_EQ(found->blocks[25].out_channels, reduced.blocks[25].out_channels);
  EXPECT_NE(difference_from_release(*found), std::nullopt);
}

TEST(ArchitectureOfLeaves, AnyLeafThatDisagreesIsAnError) {
  const std::vector<Shape> released = released_shapes();
  for (std::size_t i = 0; i < released.size(); ++i)
    for (std::size_t axis = 0; axis < released[i].size(); ++axis) {
      std::vector<Shape> shapes = released;
      shapes[i][axis] += 1;
      EXPECT_FALSE(architecture_of_leaves(shapes, "v.index").ok()) << i << " axis " << axis;
    }
}

TEST(ArchitectureOfLeaves, NamesTheFirstLeafThatDiffers) {
  std::vector<Shape> shapes = released_shapes();
  shapes[300] = {3, 3, 1, 817};
  shapes[12] = {577};
  EXPECT_EQ(leaves_error(shapes),
            "v.index: leaf 12 (batch_stats/MBConv_10/ExpandBatchNorm/mean): mismatch: found [577], expected "
            "[576] by "
            "the widths of the kernels, [576] in the released model");
  shapes[3] = {1, 24};
  EXPECT_NE(leaves_error(shapes).find(
                "v.index: leaf 3 (batch_stats/MBConv_0/DepthwiseBatchNorm/var): mismatch: found "
                "[1, 24], expected [40]"),
            std::string::npos);
}

TEST(ArchitectureOfLeaves, RefusesOtherCountsAndImpossibleExtents) {
  EXPECT_NE(leaves_error({}).find("found 0 leaves, expected 497"), std::string::npos);
  std::vector<Shape> shapes = released_shapes();
  shapes.pop_back();
  EXPECT_NE(leaves_error(shapes).find("found 496 leaves"), std::string::npos);
  for (const std::int64_t extent : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 62}) {
    std::vector<Shape> wrong = released_shapes();
    for (const std::size_t leaf : {494, 495, 496}) wrong[leaf][0] = extent;
    EXPECT_NE(leaves_error(wrong), "") << extent;
  }
}

}  // namespace
}  // namespace pantanal::convert
