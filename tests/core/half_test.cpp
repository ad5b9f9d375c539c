#include "pantanal/core/half.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace pantanal {
namespace {

/// Every 16-bit pattern widens and comes back; between two neighbours, the nearer one is chosen and the even
/// one of two equally near.
void check_rounding(Dtype dtype) {
  const std::uint16_t infinity = dtype == Dtype::f16 ? 0x7c00 : 0x7f80;
  for (unsigned i = 0; i < infinity; ++i) {
    const auto low = static_cast<std::uint16_t>(i);
    const double a = from_half(low, dtype);
    ASSERT_EQ(to_half(static_cast<float>(a), dtype), low);
    ASSERT_EQ(to_half(static_cast<float>(-a), dtype), low | 0x8000);
    if (i + 1 == infinity) break;
    const double b = from_half(static_cast<std::uint16_t>(i + 1), dtype), middle = (a + b) / 2;
    ASSERT_GT(b, a);
    if (middle < 0x1p-126) continue;  // float32 need not hold the middle
    ASSERT_EQ(to_half(static_cast<float>(middle), dtype), i % 2 ? i + 1 : i);
    ASSERT_EQ(to_half(std::nextafter(static_cast<float>(middle), 0.0f), dtype), i);
    ASSERT_EQ(to_half(std::nextafter(static_cast<float>(middle), HUGE_VALF), dtype), i + 1);
  }
}

TEST(Half, RoundsToNearestEven) {
  check_rounding(Dtype::bf16);
  check_rounding(Dtype::f16);
}

TEST(Half, KnowsItsLimits) {
  EXPECT_EQ(from_float16(0x3555), 0.333251953125f);  // IEEE 754's nearest to 1/3
  EXPECT_EQ(from_float16(0x0001), 0x1p-24f);
  EXPECT_EQ(from_float16(0x7bff), 65504.0f);
  EXPECT_EQ(from_bfloat16(0x3eab), 0.333984375f);
  for (const Dtype dtype : {Dtype::bf16, Dtype::f16}) {
    const float infinity = std::numeric_limits<float>::infinity();
    EXPECT_EQ(from_half(to_half(3.4e38f, dtype), dtype), infinity);
    EXPECT_EQ(from_half(to_half(-infinity, dtype), dtype), -infinity);
    EXPECT_TRUE(std::isnan(from_half(to_half(std::numeric_limits<float>::quiet_NaN(), dtype), dtype)));
    EXPECT_TRUE(all_finite(std::vector<std::uint16_t>{0, 0x8000, to_half(1e4f, dtype)}, dtype));
    EXPECT_FALSE(all_finite(std::vector<std::uint16_t>{0, to_half(-infinity, dtype)}, dtype));
  }
  EXPECT_EQ(to_float16(65520.0f), 0x7c00);
  EXPECT_EQ(to_float16(65519.0f), 0x7bff);
  EXPECT_EQ(from_float16(to_float16(-1e-9f)), 0.0f);
  EXPECT_STREQ(to_string(Dtype::f16), "F16");
}

}  // namespace
}  // namespace pantanal
