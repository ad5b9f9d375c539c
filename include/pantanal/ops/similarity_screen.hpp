// SimilarityScreen: what screened_max_similarity needs beside a PackedMatrix: weights and inputs as 16-bit
// integers and how far that can lead astray.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/packed_arena.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/ops/packed_matrix.hpp"

namespace pantanal::ops {

/// A vector as scale·integers: all but an `error` of its length. Of two such vectors no part of the inner
/// product leaves 32 bits: the integers' length is below 2^15.5 (Cauchy and Schwarz).
struct QuantizedVector {
  float scale;
  double norm, error;  ///< ‖scale·integers‖, ‖x - scale·integers‖
};

/// Rounds the finite values at(0) … at(depth - 1) to integers [depth], every `step`th pair of them side by
/// side. A vector too short or too long for float32 to scale becomes zeros, so that all of it is error.
template <class At>
QuantizedVector quantize(std::size_t depth, const At& at, std::int16_t* integers, std::size_t step) {
  constexpr std::size_t ways = 8;  // sums side by side, for vectors
  constexpr double longest = 46340, largest = 32767;
  std::array<double, ways> squares{};
  float peak = 0;
  for (std::size_t k = 0; k < depth; ++k) {
    const float x = at(k);
    squares[k % ways] += double{x} * double{x};
    peak = std::max(peak, std::abs(x));
  }
  double square = 0;
  for (const double s : squares) square += s;
  const double rounding = std::sqrt(static_cast<double>(depth)) / 2 + 1;
  const auto scale = static_cast<float>(std::max(std::sqrt(square) / (longest - rounding), peak / largest));
  const bool fits = scale >= std::numeric_limits<float>::min() && scale < 1e6f && rounding < longest / 2;
  const float inverse = fits ? 1 / scale : 0;
  squares = {};
  std::array<double, ways> errors{};
  for (std::size_t k = 0; k < depth; ++k) {
    const float x = at(k), rounded = fits ? std::nearbyint(x * inverse) : 0.0f;
    integers[k / 2 * step + k % 2] = static_cast<std::int16_t>(rounded);
    const double kept = fits ? double{rounded} * double{scale} : 0, lost = double{x} - kept;
    squares[k % ways] += kept * kept, errors[k % ways] += lost * lost;
  }
  double norm = 0, error = 0;
  for (std::size_t i = 0; i < ways; ++i) norm += squares[i], error += errors[i];
  return {fits ? scale : 0, std::sqrt(norm), std::sqrt(error)};
}

/// √Σ_k ‖(x_1 … x_k)‖²: by Cauchy and Schwarz, twice, the partial sums of an inner product with w add up to
/// partial_sums(x)·partial_sums(w) at most.
inline double partial_sums(std::span<const float> values) {
  constexpr std::size_t ways = 8;
  std::array<double, ways> sums{};
  for (std::size_t k = 0; k < values.size(); ++k)
    sums[k % ways] += double{values[k]} * double{values[k]} * static_cast<double>(values.size() - k);
  double sum = 0;
  for (const double s : sums) sum += s;
  return std::sqrt(sum);
}

/// One window's rows as the kernel wants them. With x' = x - mean over the rows, which shifts all of a
/// prototype's similarities alike, and x̂ and ŵ what the integers stand for, row r's screened similarity with
/// w differs from float32's by at most error_r·‖w‖ + norm_r·(‖w - ŵ‖ + ε‖w‖) +
/// u·partial_sums(x_r)·partial_sums(w), where error_r = ‖x'_r - x̂_r‖, norm_r = ‖x̂_r‖ (Cauchy and Schwarz) and
/// ε bounds the rounding of the integers' scaling. The last term is that of float32's own sum: u = 2⁻²⁴ of
/// each partial sum (Higham 2002, "Accuracy and Stability of Numerical Algorithms", section 3.1), none of
/// which exceeds its terms' lengths.
struct ScreenedRows {
  AlignedBuffer<float> transposed, mean, scale, error, norm, rounding;
  AlignedBuffer<std::int16_t> input;
};

/// Prototypes [columns, depth] in 16 bits for up to kernels::screen_rows rows.
class SimilarityScreen {
 public:
  /// Whether `rows` rows can be screened beside the kernels of `isa` on this CPU.
  static bool is_supported(InstructionSet isa, std::size_t rows) {
    return kernels::int16_table(isa) && rows <= kernels::screen_rows;
  }

  /// Of `matrix`, which `table` packed; needs is_supported(table.isa, rows). `arena`: where its own are.
  SimilarityScreen(const kernels::KernelTable& table, const PackedMatrix& matrix, std::size_t rows,
                   PackedArena* arena = nullptr)
      : table_(kernels::int16_table(table.isa)),
        columns_(matrix.columns),
        depth_(matrix.depth),
        pairs_((depth_ + 1) / 2),
        rows_(rows) {
    weights_ = take_packed<std::int16_t>(arena, matrix.padded_columns * pairs_ * 2);
    for (PackedBuffer<float>* values : {&scale_, &norm_, &error_, &rounding_})
      *values = take_packed<float>(arena, matrix.padded_columns);
    if (is_packed(arena)) return;
    std::vector<float> some(channel_padding * depth_);
    for (std::size_t n = 0; n < columns_; n += channel_padding)
      pack_columns(matrix, n, n / table.panel_floats * table.panel_floats, table.panel_floats, some);
  }

  /// 32-bit words that the constructor allocates to stay, and make_rows().
  static std::size_t weight_words(std::size_t columns, std::size_t depth) {
    return round_up(columns, channel_padding) * ((depth + 1) / 2 + 4);
  }
  static std::size_t row_words(std::size_t rows, std::size_t depth) {
    return depth * (kernels::screen_rows + 1) + rows * ((depth + 1) / 2 + 4);
  }

  ScreenedRows make_rows() const {
    using Floats = AlignedBuffer<float>;
    return {Floats(depth_ * kernels::screen_rows),
            Floats(depth_),
            Floats(rows_),
            Floats(rows_),
            Floats(rows_),
            Floats(rows_),
            AlignedBuffer<std::int16_t>(rows_ * pairs_ * 2)};
  }

  /// Transposes input [rows, stride] and takes its rows' mean. Every member of the team must call it, then
  /// wait, then call quantize_rows, then wait.
  void center_rows(const Team& team, const float* input, std::size_t stride, ScreenedRows& rows) const {
    constexpr std::size_t block = cache_line / sizeof(float);
    const Range mine = team.share(depth_, block);
    for (std::size_t k = mine.begin; k < mine.end; k += block) {
      const std::size_t width = std::min(block, mine.end - k);
      std::array<float, block> sum{};
      for (std::size_t r = 0; r < rows_; ++r)
        for (std::size_t i = 0; i < width; ++i) {
          const float x = input[r * stride + k + i];
          rows.transposed[(k + i) * kernels::screen_rows + r] = x;
          sum[i] += x;
        }
      for (std::size_t i = 0; i < width; ++i) rows.mean[k + i] = sum[i] / static_cast<float>(rows_);
    }
  }
  void quantize_rows(const Team& team, const float* input, std::size_t stride, ScreenedRows& rows) const {
    const Range mine = team.share(rows_);
    for (std::size_t r = mine.begin; r < mine.end; ++r) {
      const float* const row = input + r * stride;
      const float* const mean = rows.mean.data();
      const QuantizedVector x = quantize(
          depth_, [=](std::size_t k) { return row[k] - mean[k]; }, rows.input.data() + r * pairs_ * 2, 2);
      rows.scale[r] = x.scale;
      rows.error[r] = upwards(x.error + 0x1p-23 * (x.norm + x.error));  // with x - mean's rounding
      rows.rounding[r] = upwards(1.001 * 0x1p-24 * partial_sums(std::span(row, depth_)));
      rows.norm[r] = upwards(x.norm);
    }
  }

  /// Whether the bounds hold, which they do not where a row is not finite.
  bool is_usable(const ScreenedRows& rows) const {
    const auto finite = [](float x) { return x < std::numeric_limits<float>::infinity(); };
    return std::all_of(rows.error.data(), rows.error.data() + rows_, finite) &&
           std::all_of(rows.norm.data(), rows.norm.data() + rows_, finite) &&
           std::all_of(rows.rounding.data(), rows.rounding.data() + rows_, finite);
  }

  /// One window's rows, prepared, as max_similarity() wants them, and where its maxima go.
  static kernels::ScreenedWindow window(const float* input, const ScreenedRows& rows, float* maxima) {
    return {.input = input,
            .transposed = rows.transposed.data(),
            .screen_input = rows.input.data(),
            .row_scale = rows.scale.data(),
            .row_error = rows.error.data(),
            .row_norm = rows.norm.data(),
            .row_rounding = rows.rounding.data(),
            .maxima = maxima};
  }

  /// The maxima of some windows, kernels::screen_windows at most and all usable, over the columns from
  /// `first` up to `last` of `matrix`, which are whole panels.
  void max_similarity(const PackedMatrix& matrix, std::span<const kernels::ScreenedWindow> windows,
                      std::size_t input_stride, std::size_t first, std::size_t last) const {
    table_->screened_max_similarity({.window = windows.data(),
                                     .windows = windows.size(),
                                     .input_stride = input_stride,
                                     .rows = rows_,
                                     .depth = depth_,
                                     .pairs = pairs_,
                                     .weights = matrix.weights.data(),
                                     .screen_weights = weights_.data(),
                                     .first_column = first,
                                     .last_column = last,
                                     .columns = columns_,
                                     .column_scale = scale_.data(),
                                     .column_error = error_.data(),
                                     .column_norm = norm_.data(),
                                     .column_rounding = rounding_.data()});
  }

 private:
  static float upwards(double x) { return static_cast<float>(x * (1 + 0x1p-20)); }

  /// The columns from `first` on that share a cache line, of the panel from `panel` on.
  void pack_columns(const PackedMatrix& matrix, std::size_t first, std::size_t panel,
                    std::size_t panel_columns, std::span<float> some) {
    const std::size_t width = std::min(panel_columns, matrix.padded_columns - panel);
    const float* const weights = matrix.weights.data() + panel * depth_ + (first - panel);
    for (std::size_t k = 0; k < depth_; ++k)
      for (std::size_t c = 0; c < channel_padding; ++c) some[c * depth_ + k] = weights[k * width + c];
    for (std::size_t n = first; n < std::min(first + channel_padding, columns_); ++n)
      pack_column(some.subspan((n - first) * depth_, depth_), n, width,
                  weights_.writable() + panel * pairs_ * 2 + (n - panel) * 2);
  }

  void pack_column(std::span<const float> column, std::size_t n, std::size_t width, std::int16_t* packed) {
    constexpr double scaling = 0x1p-20;
    const QuantizedVector w = quantize(
        depth_, [=](std::size_t k) { return column[k]; }, packed, width * 2);
    const double norm = w.norm + w.error;
    scale_.writable()[n] = w.scale;
    norm_.writable()[n] = upwards(norm);
    rounding_.writable()[n] = upwards(partial_sums(column));
    // A column so large that a sum could overflow is computed in full.
    error_.writable()[n] =
        norm < 1e6 ? upwards(w.error + scaling * norm) : std::numeric_limits<float>::infinity();
  }

  const kernels::Int16Table* table_;
  std::size_t columns_, depth_, pairs_, rows_;
  PackedBuffer<std::int16_t> weights_;  ///< panels as PackedMatrix's, [pairs][width][2]
  PackedBuffer<float> scale_, norm_, error_,
      rounding_;  ///< per column: …, ‖w‖, ‖w - ŵ‖ + ε‖w‖, partial_sums(w)
};

}  // namespace pantanal::ops
