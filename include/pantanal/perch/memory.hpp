// How much memory a Session will take, known from an architecture alone, before any weight is read.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "pantanal/core/half.hpp"
#include "pantanal/perch/layer.hpp"
#include "pantanal/perch/model.hpp"
#include "pantanal/perch/pointwise_weights.hpp"

namespace pantanal::perch {

/// Bytes of a Session: packed weights, workspaces, and the label head's share of a batch.
struct SessionMemory {
  std::size_t weights = 0;
  std::size_t thread = 0;  ///< each thread's workspace
  std::size_t window = 0;  ///< each window of the batch

  std::size_t total(std::size_t threads, std::size_t batch) const {
    return weights + threads * thread + batch * window;
  }
};

namespace detail {

/// Adds up an architecture layer by layer. Widths are those of the widest instruction set.
class SessionMemoryCount {
 public:
  SessionMemoryCount(const Architecture& a, Dtype dtype, Precision precision)
      : a_(a), dtype_(precision == Precision::bf16 ? Dtype::bf16 : dtype), precision_(precision) {}

  SessionMemory operator()() && {
    const Frontend& f = a_.frontend;
    const std::vector<Extent> extents = a_.extents();
    weights_ = 8 * f.fft_size + f.frame_length + 2 * f.bins();
    dense(a_.stem.channels, a_.stem.conv.kernel * a_.stem.conv.kernel);
    image_ = extents[0].positions() * pixel_stride(a_.stem.channels);
    slab_ = std::max((3 * f.fft_size / 2 + 1) * vector_floats, slab_budget);
    for (std::size_t i = 0; i < a_.blocks.size(); ++i) block(a_.blocks[i], extents[i], extents[i + 1]);
    const std::size_t positions = extents.back().positions(), stride = pixel_stride(a_.head.channels);
    wide(a_.head.channels, a_.blocks.empty() ? a_.stem.channels : a_.blocks.back().out_channels);
    image_ = std::max(image_, positions * stride);
    const std::size_t prototypes = a_.label.classes * a_.label.prototypes;
    if (prototypes > 0) wide(prototypes, a_.head.channels);
    const std::size_t thread = f.samples + f.pad_left + f.pad_right + a_.spectrogram_extent().positions() +
                               2 * image_ + depthwise_ + row_sums_ + gate_ + projection_ + slab_ + rounded_ +
                               a_.head.channels;
    const std::size_t window = prototypes > 0 ? positions * stride + pixel_stride(prototypes) : 0;
    return {4 * weights_, 4 * thread, 4 * window};
  }

 private:
  static constexpr std::size_t vector_floats = 16, slab_channels = 48, slab_budget = 32 * 1024,
                               rounded_rows = 32;

  void dense(std::size_t columns, std::size_t depth) { weights_ += pixel_stride(columns) * (depth + 1); }
  void wide(std::size_t columns, std::size_t depth) {
    const bool pairs = dtype_ == Dtype::bf16;
    const std::size_t column = dtype_ == Dtype::i8 ? (depth + 3) / 4 + 1 : pairs ? (depth + 1) / 2 : depth;
    weights_ += pixel_stride(columns) * (column + 1);
  }

  void block(const Block& b, Extent in, Extent out) {
    const std::size_t expanded = pixel_stride(b.expanded_channels), taps = b.depthwise.kernel;
    const bool rounds = precision_ == Precision::bf16;
    if (b.has_expand) wide(b.expanded_channels, b.in_channels);
    wide(b.out_channels, b.expanded_channels);
    dense(b.se_channels, b.expanded_channels), dense(b.expanded_channels, b.se_channels);
    weights_ += (taps * taps + 1) * expanded;
    image_ = std::max(image_, out.positions() * pixel_stride(b.out_channels));
    depthwise_ = std::max(depthwise_, out.positions() * expanded);
    row_sums_ = std::max(row_sums_, out.height * expanded);
    gate_ = std::max(gate_, 2 * expanded + pixel_stride(b.se_channels));
    if (rounds) {
      rounded_ = std::max(rounded_, in.positions() * pixel_stride(b.in_channels) / 2);
      projection_ = std::max(projection_, rounded_rows * expanded / 2);
    } else if (out.positions() > b.out_channels) {
      projection_ = std::max(projection_, b.expanded_channels * pixel_stride(b.out_channels));
    }
    const std::size_t row =
        (in.width + b.depthwise.pads.left + b.depthwise.pads.right) * std::min(slab_channels, expanded);
    slab_ = std::max(slab_, taps * row);
  }

  const Architecture& a_;
  Dtype dtype_;  ///< of what is wide, packed
  Precision precision_;
  std::size_t weights_ = 0, image_ = 0, depthwise_ = 0, row_sums_ = 0, gate_ = 0, projection_ = 0, slab_ = 0,
              rounded_ = 0;
};

}  // namespace detail

/// What Session::create allocates for a model of `architecture`, which must be valid, whose large weights are
/// of `dtype`: at most a twentieth less than this, and never more but for what the heap rounds up.
inline SessionMemory session_memory(const Architecture& architecture, Dtype dtype, Precision precision) {
  return detail::SessionMemoryCount(architecture, dtype, precision)();
}

}  // namespace pantanal::perch
