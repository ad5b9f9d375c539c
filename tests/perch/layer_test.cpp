#include "pantanal/perch/layer.hpp"

#include <gtest/gtest.h>

namespace pantanal::perch {
namespace {

TEST(Layer, PixelsAreWholeCacheLines) {
  EXPECT_EQ(pixel_stride(1), 16u);
  EXPECT_EQ(pixel_stride(16), 16u);
  EXPECT_EQ(pixel_stride(40), 48u);
  EXPECT_EQ(pixel_stride(1536), 1536u);
}

TEST(Layer, ActivationsKeepTheirNames) {
  EXPECT_EQ(to_kernel(Activation::none), kernels::Activation::none);
  EXPECT_EQ(to_kernel(Activation::relu), kernels::Activation::relu);
  EXPECT_EQ(to_kernel(Activation::swish), kernels::Activation::swish);
}

}  // namespace
}  // namespace pantanal::perch
