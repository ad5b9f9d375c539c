#include "pantanal/ml/distinct_rows.hpp"

#include <gtest/gtest.h>

namespace pantanal::ml {
namespace {

TEST(DistinctRows, AreThoseOfEqualBytesAndTargets) {
  Matrix<float> x(6, 2);
  x.values = {1, 2, 3, 4, 1, 2, 1, 2, 3, 4, 1, 2.5f};
  Matrix<std::uint8_t> targets(6, 1);
  targets.values = {0, 1, 0, 1, 1, 0};
  EXPECT_EQ(first_equal_rows(x.view(), targets), (std::vector<std::uint32_t>{0, 1, 0, 3, 1, 5}));
}

}  // namespace
}  // namespace pantanal::ml
