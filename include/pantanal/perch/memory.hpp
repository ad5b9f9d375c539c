// How much memory a Session will take, known from an architecture alone, before any weight is read.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "pantanal/core/half.hpp"
#include "pantanal/perch/layer.hpp"
#include "pantanal/perch/model.hpp"
#include "pantanal/perch/session.hpp"

namespace pantanal::perch {

/// Bytes of a Session: packed weights, workspaces, and the label head's share of a batch. Weights that are
/// mapped from a file count in full, as they do in this process's resident memory, though others may share
/// them and the system may take them back: the process that makes the file has them to itself for a while.
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
  SessionMemoryCount(const Architecture& a, Dtype dtype, const SessionOptions& options)
      : a_(a),
        options_(options),
        dtype_(packed_dtype(dtype, options.precision)),
        label_dtype_(packed_dtype(dtype, label_precision(options.precision))) {}

  SessionMemory operator()() && {
    const Frontend& f = a_.frontend;
    const std::vector<Extent> extents = a_.extents();
    weights_ = front_end_tables(f);
    dense(a_.stem.channels, a_.stem.conv.kernel * a_.stem.conv.kernel);
    image_ = extents[0].positions() * pixel_stride(a_.stem.channels);
    scratch_.slab = std::max(frontend::LogMel::scratch_size(f.fft_size, f.mel_bands, vector_floats),
                             extents[0].width * a_.stem.conv.kernel * a_.stem.conv.kernel);
    for (std::size_t i = 0; i < a_.blocks.size(); ++i) block(a_.blocks[i], extents[i], extents[i + 1]);
    const std::size_t positions = extents.back().positions(), stride = pixel_stride(a_.head.channels);
    const std::size_t narrow = a_.blocks.empty() ? a_.stem.channels : a_.blocks.back().out_channels;
    wide(a_.head.channels, narrow);
    scratch_.rounded =
        std::max(scratch_.rounded, positions * rounded_words(options_.precision, pixel_stride(narrow)));
    image_ = std::max(image_, positions * stride);
    const std::size_t prototypes = a_.label.classes * a_.label.prototypes;
    std::size_t screened_rows = 0;
    if (prototypes > 0) packed(label_dtype_, prototypes, a_.head.channels);
    const bool is_narrow = label_dtype_ == Dtype::bf16 || label_dtype_ == Dtype::i8;
    if (is_screened(options_.screen, a_.label, positions, is_narrow, options_.isa)) {
      weights_ += ops::SimilarityScreen::weight_words(prototypes, a_.head.channels);
      screened_rows = ops::SimilarityScreen::row_words(positions, a_.head.channels);
    }
    const std::size_t thread = f.samples + f.pad_left + f.pad_right + a_.spectrogram_extent().positions() +
                               2 * image_ + scratch_.depthwise + scratch_.row_sums + scratch_.gate +
                               scratch_.projection + scratch_.slab + scratch_.rounded + a_.head.channels;
    const std::size_t window =
        prototypes > 0 ? positions * stride + pixel_stride(prototypes) + screened_rows : 0;
    return {4 * weights_, 4 * thread, 4 * window};
  }

 private:
  static constexpr std::size_t vector_floats = 16;

  /// Window, order of bits, twiddles and mel bands, mostly doubles; what grows by doubling may take twice as
  /// much.
  static std::size_t front_end_tables(const Frontend& f) {
    const std::size_t roots = 3 * f.fft_size / 2, weights = 2 * f.bins(), band = 3;
    return 2 * f.frame_length + f.fft_size / 2 + 2 * (2 * roots + 2 * weights + band * f.mel_bands);
  }

  void dense(std::size_t columns, std::size_t depth) { weights_ += pixel_stride(columns) * (depth + 1); }
  void packed(Dtype dtype, std::size_t columns, std::size_t depth) {
    const bool pairs = dtype == Dtype::bf16;
    const std::size_t column = dtype == Dtype::i8 ? (depth + 3) / 4 + 1 : pairs ? (depth + 1) / 2 : depth;
    weights_ += pixel_stride(columns) * (column + 1);
  }
  void wide(std::size_t columns, std::size_t depth) {
    packed(dtype_, columns, depth);
    if (options_.precision == Precision::int8) weights_ += pixel_stride(columns);  // the offsets
  }
  /// What a tensor of `dtype` becomes for products of `precision`.
  static Dtype packed_dtype(Dtype dtype, Precision precision) {
    if (precision == Precision::fp32) return dtype;
    return precision == Precision::bf16 ? Dtype::bf16 : Dtype::i8;
  }

  void block(const Block& b, Extent in, Extent out) {
    const std::size_t taps = b.depthwise.kernel * b.depthwise.kernel;
    if (b.has_expand) wide(b.expanded_channels, b.in_channels);
    wide(b.out_channels, b.expanded_channels);
    dense(b.se_channels, b.expanded_channels), dense(b.expanded_channels, b.se_channels);
    weights_ += (taps + 1) * pixel_stride(b.expanded_channels);
    image_ = std::max(image_, out.positions() * pixel_stride(b.out_channels));
    scratch_.cover(MbconvPlan(b, in, options_.precision).scratch);
  }

  const Architecture& a_;
  const SessionOptions& options_;
  Dtype dtype_, label_dtype_;  ///< of what is wide, packed
  std::size_t weights_ = 0, image_ = 0;
  MbconvPlan::ScratchSizes scratch_;
};

}  // namespace detail

/// What Session::create allocates for a model of `architecture`, which must be valid, whose large weights are
/// of `dtype`: at most a twentieth less than this, and never more but for what the heap rounds up.
/// Of `options`, threads and batch are for SessionMemory::total.
inline SessionMemory session_memory(const Architecture& architecture, Dtype dtype,
                                    const SessionOptions& options) {
  return detail::SessionMemoryCount(architecture, dtype, options)();
}

}  // namespace pantanal::perch
