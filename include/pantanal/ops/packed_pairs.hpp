// PackedPairs: the weights of a 1x1 convolution or dense layer in bfloat16, laid out for one instruction
// set's kernels.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "pantanal/core/half.hpp"
#include "pantanal/core/packed_arena.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/ops/packed_matrix.hpp"

namespace pantanal::ops {

/// A [columns, depth] weight in panels as PackedMatrix's, but two depths to a 32-bit word, the first in its
/// low half: each panel is [ceil(depth/2)][width] words. What pads columns or depth is zero.
struct PackedPairs {
  PackedBuffer<std::uint32_t> weights;  ///< ceil(depth/2) · padded_columns
  PackedBuffer<float> bias;             ///< padded_columns
  std::size_t depth = 0, columns = 0, padded_columns = 0;

  std::size_t words() const { return (depth + 1) / 2; }  ///< of a column
};

/// An empty one: packs columns piece by piece with pack_pair_columns(), unless `arena` has them packed.
inline PackedPairs make_packed_pairs(std::span<const float> bias, std::size_t columns, std::size_t depth,
                                     PackedArena* arena = nullptr) {
  PackedPairs packed;
  packed.depth = depth;
  packed.columns = columns;
  packed.padded_columns = round_up(columns, channel_padding);
  packed.weights = take_packed<std::uint32_t>(arena, packed.words() * packed.padded_columns);
  packed.bias = take_packed<float>(arena, packed.padded_columns);
  if (!is_packed(arena)) std::copy(bias.begin(), bias.end(), packed.bias.writable());
  return packed;
}

/// Packs columns [begin, end), of which value(n, k) is depth k of column n as bfloat16.
template <class Value>
void pack_pair_columns(const kernels::KernelTable& table, std::size_t begin, std::size_t end, Value value,
                       PackedPairs& packed) {
  for (std::size_t n = begin; n < end; ++n) {
    const std::size_t panel = n / table.panel_floats * table.panel_floats;
    const std::size_t width = std::min(table.panel_floats, packed.padded_columns - panel);
    std::uint32_t* column = packed.weights.writable() + panel * packed.words() + (n - panel);
    for (std::size_t k = 0; k < packed.depth; k += 2) {
      const std::uint32_t high = k + 1 < packed.depth ? value(n, k + 1) : std::uint16_t{0};
      column[k / 2 * width] = std::uint32_t{value(n, k)} | high << 16;
    }
  }
}

}  // namespace pantanal::ops
