#include "pantanal/ml/pool_adjacent_violators.hpp"

#include <gtest/gtest.h>

namespace pantanal::ml {
namespace {

TEST(PoolAdjacentViolators, PoolsByWeight) {
  std::vector<double> y{1, 5, 2, 2, 9};
  pool_adjacent_violators(y, {1, 1, 2, 1, 1}, true);
  EXPECT_EQ(y, (std::vector<double>{1, 2.75, 2.75, 2.75, 9}));
  y = {1, 5, 2};
  pool_adjacent_violators(y, {1, 1, 1}, false);
  EXPECT_EQ(y, (std::vector<double>{3, 3, 2}));
  y.clear();
  pool_adjacent_violators(y, {}, true);
  EXPECT_TRUE(y.empty());
}

TEST(Spearman, RanksWithTies) {
  const std::vector<double> x{1, 2, 2, 3}, rising{1, 5, 5, 6}, falling{4, 3, 3, 1}, constant{1, 1, 1, 1};
  EXPECT_EQ(average_ranks(std::span<const double>(x)), (std::vector<double>{1, 2.5, 2.5, 4}));
  EXPECT_NEAR(spearman<double>(x, rising), 1, 1e-15);
  EXPECT_NEAR(spearman<double>(x, falling), -1, 1e-15);
  EXPECT_TRUE(std::isnan(spearman<double>(x, constant)));
}

}  // namespace
}  // namespace pantanal::ml
