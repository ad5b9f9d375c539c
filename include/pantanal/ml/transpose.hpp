// transpose: a matrix turned in blocks that registers hold.
#pragma once

#include <cstddef>
#include <type_traits>

#include "pantanal/ml/matrix.hpp"

namespace pantanal::ml {

namespace detail {

/// 4 x 4 of the baseline's vectors.
inline void transpose_block(const float* from, std::size_t from_stride, float* to, std::size_t to_stride) {
  using V = float __attribute__((vector_size(16), aligned(4)));
  const auto row = [&](std::size_t r) { return *reinterpret_cast<const V*>(from + r * from_stride); };
  const auto store = [&](std::size_t r, V v) { *reinterpret_cast<V*>(to + r * to_stride) = v; };
  const V a = row(0), b = row(1), c = row(2), d = row(3);
  const V ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const V ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7),
          cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  store(0, __builtin_shufflevector(ab, cd, 0, 1, 4, 5));
  store(1, __builtin_shufflevector(ab, cd, 2, 3, 6, 7));
  store(2, __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5));
  store(3, __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7));
}

}  // namespace detail

/// to[c][r] = from[r][c] for r < rows, c < columns.
template <Real T>
void transpose(const T* from, std::size_t from_stride, std::size_t rows, std::size_t columns, T* to,
               std::size_t to_stride) {
  std::size_t r = 0;
  if constexpr (std::is_same_v<T, float>)
    for (; r + 4 <= rows; r += 4) {
      std::size_t c = 0;
      for (; c + 4 <= columns; c += 4)
        detail::transpose_block(from + r * from_stride + c, from_stride, to + c * to_stride + r, to_stride);
      for (; c < columns; ++c)
        for (std::size_t i = r; i < r + 4; ++i) to[c * to_stride + i] = from[i * from_stride + c];
    }
  for (; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c) to[c * to_stride + r] = from[r * from_stride + c];
}

}  // namespace pantanal::ml
