#include "pantanal/ml/active_units.hpp"

#include <gtest/gtest.h>

#include "pantanal/ml/gemm.hpp"
#include "pantanal/ml/random_state.hpp"

namespace pantanal::ml {
namespace {

bool has(const std::uint64_t* mask, std::size_t stride, std::size_t r, std::size_t k) {
  return (mask[r * stride + k / 64] >> k % 64 & 1) != 0;
}

template <class T>
void check_masks() {
  const std::size_t rows = 70, units = 130, capacity = 72, stride = 133;
  RandomState random(1);
  std::vector<T> x(capacity * stride);
  for (T& v : x) v = static_cast<T>(std::max(random.standard_normal(), 0.0));
  ActiveUnits active(capacity, units);
  active.find(best_kernels(), x.data(), stride, rows);
  active.transpose();
  ASSERT_NE(active.by_row(), nullptr);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t j = 0; j < units; ++j) {
      ASSERT_EQ(has(active.by_row(), active.row_stride(), r, j), x[r * stride + j] > 0);
      ASSERT_EQ(has(active.by_unit(), active.unit_stride(), j, r), x[r * stride + j] > 0);
    }
}

TEST(ActiveUnits, AreMaskedByRowAndByUnit) {
  check_masks<float>();
  check_masks<double>();
}

TEST(ActiveUnits, HaveNoMaskWhereMostAreActive) {
  std::vector<float> x(40 * 10, 1.0f);
  ActiveUnits active(40, 10);
  active.find(best_kernels(), x.data(), 10, 40);
  active.transpose();
  EXPECT_EQ(active.by_row(), nullptr);
  EXPECT_EQ(active.by_unit(), nullptr);
}

}  // namespace
}  // namespace pantanal::ml
