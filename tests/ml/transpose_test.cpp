#include "pantanal/ml/transpose.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace pantanal::ml {
namespace {

template <class T>
void check_transpose(std::size_t rows, std::size_t columns) {
  const std::size_t from_stride = columns + 3, to_stride = rows + 2;
  std::vector<T> from(rows * from_stride), to(columns * to_stride, T{-1});
  std::iota(from.begin(), from.end(), T{0});
  transpose(from.data(), from_stride, rows, columns, to.data(), to_stride);
  for (std::size_t c = 0; c < columns; ++c)
    for (std::size_t r = 0; r < to_stride; ++r)
      ASSERT_EQ(to[c * to_stride + r], r < rows ? from[r * from_stride + c] : T{-1});
}

TEST(Transpose, TurnsAnyShapeAndLeavesTheRest) {
  for (const std::size_t rows : {1, 3, 4, 8, 9})
    for (const std::size_t columns : {1, 4, 7, 12}) {
      check_transpose<float>(rows, columns);
      check_transpose<double>(rows, columns);
    }
}

}  // namespace
}  // namespace pantanal::ml
