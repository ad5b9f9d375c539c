// PackedMatrix: the weights of a 1x1 convolution or dense layer, laid out for one instruction set's kernels.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "pantanal/core/packed_arena.hpp"
#include "pantanal/kernels/dispatch.hpp"

namespace pantanal::ops {

/// n rounded up to a multiple of m.
constexpr std::size_t round_up(std::size_t n, std::size_t m) { return (n + m - 1) / m * m; }

/// Floats per pixel that activations between layers are padded to: a cache line, a whole vector of any
/// target.
inline constexpr std::size_t channel_padding = cache_line / sizeof(float);

/// A [columns, depth] weight (PyTorch's Linear and 1x1 Conv2d layout) and its bias, cut into panels of
/// table.panel_floats columns, each stored [depth][width]; the last panel is as narrow as whole vectors
/// allow. Columns that pad it are zero.
struct PackedMatrix {
  PackedBuffer<float> weights;  ///< depth · padded_columns
  PackedBuffer<float> bias;     ///< padded_columns
  std::size_t depth = 0, columns = 0, padded_columns = 0;
};

/// Packs into `packed` the matrix whose column n is at weight + n·column_stride, its entries `depth_stride`
/// apart: panels as in PackedMatrix, columns padded to whole vectors of any target. packed has room for depth
/// · padded columns.
inline void pack_columns(const kernels::KernelTable& table, const float* weight, std::size_t column_stride,
                         std::size_t depth_stride, std::size_t columns, std::size_t depth, float* packed) {
  const std::size_t padded_columns = round_up(columns, channel_padding);
  for (std::size_t n = 0; n < padded_columns; ++n) {
    const std::size_t panel = n / table.panel_floats * table.panel_floats;
    const std::size_t width = std::min(table.panel_floats, padded_columns - panel);
    float* column = packed + panel * depth + (n - panel);
    for (std::size_t k = 0; k < depth; ++k)
      column[k * width] = n < columns ? weight[n * column_stride + k * depth_stride] : 0.0f;
  }
}

/// Room for weights [columns, depth], and `bias` [columns], or zeros where bias is empty. Whole panels of
/// columns can then be packed one by one: column n's panel starts at weights[n · depth]. Where `arena` has
/// them packed, nothing is left to do.
inline PackedMatrix make_packed_matrix(std::span<const float> bias, std::size_t columns, std::size_t depth,
                                       PackedArena* arena = nullptr) {
  PackedMatrix packed;
  packed.depth = depth;
  packed.columns = columns;
  packed.padded_columns = round_up(columns, channel_padding);
  packed.weights = take_packed<float>(arena, depth * packed.padded_columns);
  packed.bias = take_packed<float>(arena, packed.padded_columns);
  if (!is_packed(arena)) std::copy(bias.begin(), bias.end(), packed.bias.writable());
  return packed;
}

/// Packs `weight` [columns, depth] and `bias`; see make_packed_matrix().
inline PackedMatrix pack_matrix(const kernels::KernelTable& table, std::span<const float> weight,
                                std::span<const float> bias, std::size_t columns, std::size_t depth,
                                PackedArena* arena = nullptr) {
  PackedMatrix packed = make_packed_matrix(bias, columns, depth, arena);
  if (!is_packed(arena))
    pack_columns(table, weight.data(), depth, 1, columns, depth, packed.weights.writable());
  return packed;
}

}  // namespace pantanal::ops
