// Functions of one variable on every instruction set, in units of the last place over their whole range.
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/guarded.hpp"
#include "pantanal/kernels/reference_scan.hpp"

namespace pantanal::kernels {
namespace {

/// |found - expected| in units of the last place of expected.
double ulps(float found, double expected) {
  const auto nearest = static_cast<float>(std::abs(expected));
  const double unit =
      double{std::nextafter(nearest, std::numeric_limits<float>::infinity())} - double{nearest};
  return std::abs(double{found} - expected) / unit;
}

/// Every `stride`-th float from `low` to `high`, of both signs where the range has both.
std::vector<float> sweep(float low, float high, std::uint32_t stride) {
  std::vector<float> x;
  for (const float sign : {-1.0f, 1.0f}) {
    const float limit = sign < 0 ? -low : high;
    for (std::uint32_t bits = 0; bits <= std::bit_cast<std::uint32_t>(limit); bits += stride)
      x.push_back(sign * std::bit_cast<float>(bits));
    x.push_back(sign * limit);
  }
  return x;
}

double worst_ulps(const KernelTable& table, Function function, const std::vector<float>& x) {
  std::vector<float> y = x;
  table.map(function, y.data(), 1, y.size(), y.size());
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    worst = std::max(worst, ulps(y[i], reference::map(function, double{x[i]})));
  return worst;
}

TEST(Map, ExpAndExp2KeepTheirBoundsOverTheirWholeRange) {
  const std::vector<float> exp_range = sweep(-87, 87, 701), exp2_range = sweep(-126, 127, 701);
  for (const KernelTable* table : all_tables()) {
    const double exp = worst_ulps(*table, Function::exp, exp_range),
                 exp2 = worst_ulps(*table, Function::exp2, exp2_range);
    EXPECT_LT(exp, 2.0) << to_string(table->isa);
    EXPECT_LT(exp2, 2.5) << to_string(table->isa);
    RecordProperty(std::string("exp ulp ") + to_string(table->isa), std::to_string(exp));
    RecordProperty(std::string("exp2 ulp ") + to_string(table->isa), std::to_string(exp2));
  }
}

TEST(Map, Exp2OfZeroIsOne) {
  for (const KernelTable* table : all_tables()) {
    float x[] = {0.0f, -0.0f, 1.0f, -1.0f, -126.0f, 127.0f};
    table->map(Function::exp2, x, 1, 6, 6);
    EXPECT_EQ(x[0], 1.0f);
    EXPECT_EQ(x[1], 1.0f);
    EXPECT_EQ(x[2], 2.0f);
    EXPECT_EQ(x[3], 0.5f);
    EXPECT_EQ(x[4], std::exp2(-126.0f));
    EXPECT_EQ(x[5], std::exp2(127.0f));
  }
}

TEST(Map, ActivationsKeepTheirDigits) {
  const std::vector<float> range = sweep(-80, 80, 7001), tail = sweep(-4, 80, 7001);
  for (const KernelTable* table : all_tables()) {
    EXPECT_LT(worst_ulps(*table, Function::silu, range), 5.0) << to_string(table->isa);
    EXPECT_LT(worst_ulps(*table, Function::softplus, range), 5.0) << to_string(table->isa);
    EXPECT_LT(worst_ulps(*table, Function::gelu, tail), 24.0) << to_string(table->isa);  // e^(-a²) rounds a²
  }
}

TEST(Map, SaturatesFarOut) {
  for (const KernelTable* table : all_tables())
    for (const Function function : {Function::silu, Function::gelu, Function::softplus}) {
      float x[] = {-1000, 1000, -3e30f, 3e18f, 0};
      table->map(function, x, 1, 5, 5);
      EXPECT_NEAR(x[0], 0, 1e-30);
      EXPECT_EQ(x[1], 1000.0f);
      EXPECT_NEAR(x[2], 0, 1e-6);
      EXPECT_EQ(x[3], 3e18f);
      EXPECT_NEAR(x[4], function == Function::softplus ? std::log(2.0) : 0.0, 1e-7);
    }
}

TEST(Map, StaysInsideItsColumns) {
  constexpr std::size_t rows = 3, stride = 40;
  for (const KernelTable* table : all_tables())
    for (std::size_t columns = 1; columns <= 35; ++columns) {
      Guarded data(rows * stride);
      const std::vector<float> x = random_floats(rows * stride, 1);
      std::copy(x.begin(), x.end(), data.data());
      table->map(Function::gelu, data.data(), rows, stride, columns);
      for (std::size_t i = 0; i < x.size(); ++i) {
        if (i % stride >= columns)
          ASSERT_EQ(data[i], x[i]);
        else
          ASSERT_NEAR(data[i], reference::map(Function::gelu, double{x[i]}), 1e-6);
      }
    }
}

}  // namespace
}  // namespace pantanal::kernels
