// transpose: a matrix turned in blocks that registers hold.
#pragma once

#include <algorithm>
#include <cstddef>

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

/// 2 x 2 of the baseline's vectors.
inline void transpose_block(const double* from, std::size_t from_stride, double* to, std::size_t to_stride) {
  using V = double __attribute__((vector_size(16), aligned(8)));
  const V a = *reinterpret_cast<const V*>(from), b = *reinterpret_cast<const V*>(from + from_stride);
  *reinterpret_cast<V*>(to) = __builtin_shufflevector(a, b, 0, 2);
  *reinterpret_cast<V*>(to + to_stride) = __builtin_shufflevector(a, b, 1, 3);
}

}  // namespace detail

/// to[c][r] = from[r][c] for r < rows, c < columns. A cache line of every row at a time: no line of either is
/// fetched twice.
template <Real T>
void transpose(const T* from, std::size_t from_stride, std::size_t rows, std::size_t columns, T* to,
               std::size_t to_stride) {
  constexpr std::size_t block = 16 / sizeof(T), line = 64 / sizeof(T);
  const std::size_t block_rows = rows / block * block;
  for (std::size_t first = 0; first < columns; first += line) {
    const std::size_t last = std::min(columns, first + line),
                      block_last = first + (last - first) / block * block;
    for (std::size_t r = 0; r < block_rows; r += block) {
      std::size_t c = first;
      for (; c < block_last; c += block)
        detail::transpose_block(from + r * from_stride + c, from_stride, to + c * to_stride + r, to_stride);
      for (; c < last; ++c)
        for (std::size_t i = r; i < r + block; ++i) to[c * to_stride + i] = from[i * from_stride + c];
    }
    for (std::size_t r = block_rows; r < rows; ++r)
      for (std::size_t c = first; c < last; ++c) to[c * to_stride + r] = from[r * from_stride + c];
  }
}

}  // namespace pantanal::ml
