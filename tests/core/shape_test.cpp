#include "pantanal/core/shape.hpp"

#include <gtest/gtest.h>

namespace pantanal {
namespace {

TEST(Shape, CountsElements) {
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({2, 3, 4}), 24);
  EXPECT_EQ(element_count({5, 0, 7}), 0);
}

TEST(Shape, RefusesNegativeExtentsAndOverflow) {
  EXPECT_FALSE(element_count({2, -1}));
  EXPECT_FALSE(element_count({std::int64_t{1} << 32, std::int64_t{1} << 32}));
}

TEST(Shape, PrintsAsAList) {
  EXPECT_EQ(to_string(Shape{1, 2, 3}), "[1, 2, 3]");
  EXPECT_EQ(to_string(Shape{}), "[]");
}

}  // namespace
}  // namespace pantanal
