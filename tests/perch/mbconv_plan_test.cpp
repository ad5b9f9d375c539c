// Slabs that stay within their budget, and room that covers what the largest block needs.
#include "pantanal/perch/mbconv_plan.hpp"

#include <gtest/gtest.h>

#include "perch/random_model.hpp"

namespace pantanal::perch {
namespace {

TEST(MbconvPlan, KeepsSlabsWithinTheirBudgetAndCoversAllRows) {
  const Architecture a = fixtures::perch_v2_architecture(0);
  const std::vector<Extent> extents = a.extents();
  for (std::size_t i = 0; i < a.blocks.size(); ++i) {
    const Block& block = a.blocks[i];
    const MbconvPlan plan(block, extents[i], Precision::fp32);
    SCOPED_TRACE(i);
    EXPECT_LE(plan.scratch.slab, MbconvPlan::slab_budget);
    EXPECT_GE(plan.slabs * MbconvPlan::slab_channels, block.expanded_channels);
    EXPECT_EQ(plan.buffer_rows, (plan.chunk_rows - 1) * block.depthwise.stride + block.depthwise.kernel);
    EXPECT_LE(plan.chunk_rows, extents[i + 1].height);
    // One more row would not fit, unless that is all rows.
    const std::size_t more = plan.scratch.slab + block.depthwise.stride * plan.buffer_row_stride;
    EXPECT_TRUE(plan.chunk_rows == extents[i + 1].height || more > MbconvPlan::slab_budget);
  }
}

TEST(MbconvPlan, TakesOneRowAtLeast) {
  Block block = fixtures::perch_v2_architecture(0).blocks[3];
  const Extent wide{8, 4096};
  const MbconvPlan plan(block, wide, Precision::fp32);
  EXPECT_EQ(plan.chunk_rows, 1u);
  EXPECT_EQ(plan.scratch.slab, block.depthwise.kernel * plan.buffer_row_stride);
}

TEST(MbconvPlan, ScalesWeightsOnlyOfFloat32ProductsOverManyPixels) {
  const Architecture a = fixtures::perch_v2_architecture(0);
  const Extent first = a.extents()[2], last = a.extents()[a.blocks.size() - 1];
  EXPECT_TRUE(MbconvPlan(a.blocks[2], first, Precision::fp32).scales_weights);
  EXPECT_FALSE(MbconvPlan(a.blocks[2], first, Precision::bf16).scales_weights);
  EXPECT_FALSE(MbconvPlan(a.blocks.back(), last, Precision::fp32).scales_weights);
  EXPECT_EQ(MbconvPlan(a.blocks[2], first, Precision::fp32).scratch.rounded, 0u);
  EXPECT_GT(MbconvPlan(a.blocks[2], first, Precision::bf16).scratch.rounded, 0u);
  const MbconvPlan bytes(a.blocks[2], first, Precision::int8);
  EXPECT_FALSE(bytes.scales_weights);
  EXPECT_EQ(bytes.scratch.rounded, first.positions() * (1 + pixel_stride(a.blocks[2].in_channels) / 4));
  EXPECT_EQ(bytes.scratch.projection, MbconvPlan::rounded_rows * (1 + bytes.expanded_stride / 4));
}

}  // namespace
}  // namespace pantanal::perch
