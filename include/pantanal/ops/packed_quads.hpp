// PackedQuads: the weights of a 1x1 convolution or dense layer in int8, laid out for one instruction set's
// kernels.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "pantanal/core/packed_arena.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/ops/packed_matrix.hpp"

namespace pantanal::ops {

/// A [columns, depth] weight scale[n]·q[n][k] in panels as PackedMatrix's, but four depths' q to a 32-bit
/// word, the first in its lowest byte: each panel is [ceil(depth/4)][width] words. What pads columns or depth
/// is zero.
struct PackedQuads {
  PackedBuffer<std::uint32_t> weights;  ///< ceil(depth/4) · padded_columns
  PackedBuffer<float> scale, bias;      ///< padded_columns each
  PackedBuffer<std::int32_t> offset;    ///< by add_offsets(): -128 times each column's sum; else empty
  std::size_t depth = 0, columns = 0, padded_columns = 0;

  std::size_t words() const { return (depth + 3) / 4; }  ///< of a column
};

/// An empty one: packs columns piece by piece with pack_quad_columns(), unless `arena` has them packed.
/// `scale` [columns], or empty: to be set.
inline PackedQuads make_packed_quads(std::span<const float> scale, std::span<const float> bias,
                                     std::size_t columns, std::size_t depth, PackedArena* arena = nullptr) {
  PackedQuads packed;
  packed.depth = depth;
  packed.columns = columns;
  packed.padded_columns = round_up(columns, channel_padding);
  packed.weights = take_packed<std::uint32_t>(arena, packed.words() * packed.padded_columns);
  packed.scale = take_packed<float>(arena, packed.padded_columns);
  packed.bias = take_packed<float>(arena, packed.padded_columns);
  if (is_packed(arena)) return packed;
  std::copy(scale.begin(), scale.end(), packed.scale.writable());
  std::copy(bias.begin(), bias.end(), packed.bias.writable());
  return packed;
}

/// Packs columns [begin, end), whose `values` are [end - begin, depth].
inline void pack_quad_columns(const kernels::KernelTable& table, std::size_t begin, std::size_t end,
                              std::span<const std::int8_t> values, PackedQuads& packed) {
  for (std::size_t n = begin; n < end; ++n) {
    const std::size_t panel = n / table.panel_floats * table.panel_floats;
    const std::size_t width = std::min(table.panel_floats, packed.padded_columns - panel);
    std::uint32_t* column = packed.weights.writable() + panel * packed.words() + (n - panel);
    for (std::size_t k = 0; k < packed.depth; ++k)
      column[k / 4 * width] |=
          std::uint32_t{static_cast<std::uint8_t>(values[(n - begin) * packed.depth + k])} << (k % 4 * 8);
  }
}

/// What kernels::BytesArgs needs besides, of columns [begin, end) with the same `values`.
inline void add_offsets(std::size_t begin, std::size_t end, std::span<const std::int8_t> values,
                        PackedQuads& packed) {
  if (packed.offset.size() == 0) packed.offset = PackedBuffer<std::int32_t>(packed.padded_columns);
  for (std::size_t n = begin; n < end; ++n)
    for (std::size_t k = 0; k < packed.depth; ++k)
      packed.offset.writable()[n] -= 128 * values[(n - begin) * packed.depth + k];
}

}  // namespace pantanal::ops
