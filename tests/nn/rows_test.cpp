#include "pantanal/nn/rows.hpp"

#include <gtest/gtest.h>

namespace pantanal::nn {
namespace {

TEST(RowStride, IsWholeVectors) {
  EXPECT_EQ(row_stride(1), 16u);
  EXPECT_EQ(row_stride(320), 320u);
  EXPECT_EQ(row_stride(321), 336u);
}

TEST(Scratch, HandsOutWholeCacheLinesFrontToBack) {
  float memory[64];
  Scratch scratch(memory);
  EXPECT_EQ(scratch.take(3), memory);
  Scratch callee = scratch;
  EXPECT_EQ(callee.take(17), memory + 16);
  EXPECT_EQ(callee.take(1), memory + 48);
  EXPECT_EQ(scratch.take(1), memory + 16) << "what a callee took is free again";
  EXPECT_EQ(Scratch::size_of(17), 32u);
}

TEST(ParameterName, JoinsWithADotBelowTheTop) {
  EXPECT_EQ(parameter_name("", "weight"), "weight");
  EXPECT_EQ(parameter_name("ssm_fwd.0", "A_log"), "ssm_fwd.0.A_log");
}

}  // namespace
}  // namespace pantanal::nn
