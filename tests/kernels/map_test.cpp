// Functions of one variable on every instruction set, in units of the last place over their whole range.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <utility>

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

/// Calls visit(x) for every `stride`-th float from `low` to `high` and for both ends, in blocks.
template <class Visit>
void sweep(float low, float high, std::uint32_t stride, Visit&& visit) {
  constexpr std::size_t block = 1 << 16;
  std::vector<float> x;
  for (const float sign : {-1.0f, 1.0f}) {
    const float limit = sign < 0 ? -low : high;
    for (std::uint64_t bits = 0; bits <= std::bit_cast<std::uint32_t>(limit); bits += stride) {
      x.push_back(sign * std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
      if (x.size() == block) visit(std::as_const(x)), x.clear();
    }
    x.push_back(sign * limit);
  }
  visit(std::as_const(x));
}

double worst_ulps(const KernelTable& table, Function function, float low, float high, std::uint32_t stride) {
  double worst = 0;
  sweep(low, high, stride, [&](const std::vector<float>& x) {
    std::vector<float> y = x;
    table.map(function, y.data(), 1, y.size(), y.size());
    for (std::size_t i = 0; i < x.size(); ++i)
      worst = std::max(worst, ulps(y[i], reference::map(function, double{x[i]})));
  });
  return worst;
}

/// PANTANAL_ULP_STRIDE=1 takes every float, in minutes instead of a second.
std::uint32_t exp_stride() {
  const char* stride = std::getenv("PANTANAL_ULP_STRIDE");
  return stride ? static_cast<std::uint32_t>(std::max(1, std::atoi(stride))) : 701;
}

TEST(Map, ExpAndExp2KeepTheirBoundsOverTheirWholeRange) {
  for (const KernelTable* table : all_tables()) {
    const double exp = worst_ulps(*table, Function::exp, -87, 87, exp_stride()),
                 exp2 = worst_ulps(*table, Function::exp2, -126, 127, exp_stride());
    EXPECT_LT(exp, 2.0) << to_string(table->isa);
    EXPECT_LT(exp2, 2.5) << to_string(table->isa);
    std::cout << to_string(table->isa) << ": exp within " << exp << " ulp, exp2 within " << exp2 << "\n";
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
  for (const KernelTable* table : all_tables()) {
    EXPECT_LT(worst_ulps(*table, Function::silu, -80, 80, 7001), 5.0) << to_string(table->isa);
    EXPECT_LT(worst_ulps(*table, Function::softplus, -80, 80, 7001), 5.0) << to_string(table->isa);
    EXPECT_LT(worst_ulps(*table, Function::gelu, -4, 80, 7001), 24.0)  // e^(-a²) rounds a²
        << to_string(table->isa);
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

/// So that an overflow within a network is seen where its outputs are checked.
TEST(Map, NaNStaysNaNInItsLane) {
  const float not_a_number = std::numeric_limits<float>::quiet_NaN();
  for (const KernelTable* table : all_tables())
    for (const Function function :
         {Function::exp, Function::exp2, Function::silu, Function::gelu, Function::softplus})
      for (const float bad : {not_a_number, -not_a_number})
        for (std::size_t at = 0; at < 33; ++at) {
          std::vector<float> x = random_floats(33, 2);
          x[at] = bad;
          table->map(function, x.data(), 1, x.size(), x.size());
          for (std::size_t i = 0; i < x.size(); ++i)
            ASSERT_EQ(std::isnan(x[i]), i == at)
                << to_string(table->isa) << ", function " << static_cast<int>(function) << ", " << at;
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
