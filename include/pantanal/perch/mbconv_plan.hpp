// MbconvPlan: how an inverted residual block is cut, and what room its layer needs.
#pragma once

#include <algorithm>
#include <cstddef>

#include "pantanal/perch/layer.hpp"
#include "pantanal/perch/pointwise_weights.hpp"

namespace pantanal::perch {

/// Follows from the block, its input's extent and the precision alone, so that MbconvLayer and the reckoning
/// of its memory share it.
struct MbconvPlan {
  /// Sizes in floats of what MbconvLayer::run() needs besides input and output.
  struct ScratchSizes {
    std::size_t depthwise = 0, row_sums = 0;         ///< one shared by the team, and one of each member's own
    std::size_t rounded = 0;                         ///< shared by the team, words
    std::size_t gate = 0, projection = 0, slab = 0;  ///< each member's own

    /// Makes room for another block as well.
    void cover(const ScratchSizes& other) {
      depthwise = std::max(depthwise, other.depthwise);
      row_sums = std::max(row_sums, other.row_sums);
      rounded = std::max(rounded, other.rounded);
      gate = std::max(gate, other.gate);
      projection = std::max(projection, other.projection);
      slab = std::max(slab, other.slab);
    }
  };

  static constexpr std::size_t slab_channels = 48;
  static constexpr std::size_t slab_budget =
      32 * 1024;                                   ///< floats of a member's buffer, well inside a core's L2
  static constexpr std::size_t rounded_rows = 32;  ///< pixels that are rounded, then projected while in L2

  MbconvPlan(const Block& block, Extent input, Precision precision)
      : expanded_stride(pixel_stride(block.expanded_channels)),
        slab_stride(std::min(slab_channels, expanded_stride)),
        slabs((expanded_stride + slab_channels - 1) / slab_channels),
        buffer_row_stride((input.width + block.depthwise.pads.left + block.depthwise.pads.right) *
                          slab_stride) {
    const ConvGeometry& conv = block.depthwise;
    const Extent output = conv.output(input);
    const std::size_t affordable = slab_budget / buffer_row_stride;
    chunk_rows = affordable > conv.kernel ? (affordable - conv.kernel) / conv.stride + 1 : 1;
    chunk_rows = std::min(chunk_rows, output.height);
    buffer_rows = (chunk_rows - 1) * conv.stride + conv.kernel;
    const bool rounds = precision != Precision::fp32;
    scales_weights = !rounds && output.positions() > block.out_channels;
    scratch = {.depthwise = output.positions() * expanded_stride,
               .row_sums = (output.height + 1) * expanded_stride,
               .gate = 2 * expanded_stride + pixel_stride(block.se_channels),
               .slab = buffer_rows * buffer_row_stride};
    if (block.has_expand)
      scratch.rounded = input.positions() * rounded_words(precision, pixel_stride(block.in_channels));
    if (rounds) scratch.projection = rounded_rows * rounded_words(precision, expanded_stride);
    if (scales_weights) scratch.projection = block.expanded_channels * pixel_stride(block.out_channels);
  }

  std::size_t expanded_stride;    ///< floats of an expanded pixel
  std::size_t slab_stride;        ///< floats of a pixel in a member's buffer
  std::size_t slabs;              ///< of slab_channels expanded channels
  std::size_t buffer_row_stride;  ///< floats of a row of that buffer, its borders included
  std::size_t chunk_rows = 1;     ///< output rows at once: as many as the budget allows, at least one
  std::size_t buffer_rows = 0;    ///< rows that those need
  bool scales_weights = false;    ///< the gate scales the projection's weights, else its input
  ScratchSizes scratch;
};

}  // namespace pantanal::perch
