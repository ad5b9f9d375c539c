// SimilarityScreen: what screened_max_similarity needs beside a PackedMatrix: weights and inputs rounded to
// bf16 and how far that can lead astray.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/ops/packed_matrix.hpp"

namespace pantanal::ops {

/// Nearest bf16 of a finite x, ties to even: the upper half of a float32's bits.
constexpr std::uint16_t to_bf16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
constexpr float from_bf16(std::uint16_t x) { return std::bit_cast<float>(std::uint32_t{x} << 16); }

/// One window's rows as the kernel wants them. With x' = x - mean over the rows, which shifts all of a
/// prototype's similarities alike, and x̂ its bf16: row r's screened similarity with w is off by at most
/// error_r·‖w‖ + norm_r·(‖w - ŵ‖ + γ(‖w‖ + ‖w - ŵ‖)), where error_r = ‖x'_r - x̂_r‖ + γ‖x_r‖, norm_r = ‖x̂_r‖
/// (Cauchy and Schwarz) and γ bounds the rounding of both sums (Higham 2002, "Accuracy and Stability of
/// Numerical Algorithms", section 3.1).
struct ScreenedRows {
  AlignedBuffer<float> transposed, mean, error, norm;
  AlignedBuffer<std::uint16_t> input;
};

/// Prototypes [columns, depth] in bf16 for up to kernels::screen_rows rows.
class SimilarityScreen {
 public:
  /// Whether `table` and this CPU can screen `rows` rows.
  static bool is_supported(const kernels::KernelTable& table, std::size_t rows) {
    return table.screened_max_similarity && has_bf16_dot_products() && rows <= kernels::screen_rows;
  }

  SimilarityScreen(const kernels::KernelTable& table, std::span<const float> weight, std::size_t columns,
                   std::size_t depth, std::size_t rows)
      : columns_(columns), depth_(depth), pairs_((depth + 1) / 2), rows_(rows) {
    const std::size_t padded = round_up(columns, channel_padding);
    weights_ = AlignedBuffer<std::uint16_t>(padded * pairs_ * 2);
    norm_ = AlignedBuffer<float>(padded);
    error_ = AlignedBuffer<float>(padded);
    for (std::size_t n = 0; n < columns; ++n) {
      const std::size_t panel = n / table.panel_floats * table.panel_floats;
      pack_column(weight.subspan(n * depth, depth), n, std::min(table.panel_floats, padded - panel),
                  weights_.data() + panel * pairs_ * 2 + (n - panel) * 2);
    }
  }

  ScreenedRows make_rows() const {
    using Floats = AlignedBuffer<float>;
    return {Floats(depth_ * kernels::screen_rows), Floats(depth_), Floats(rows_), Floats(rows_),
            AlignedBuffer<std::uint16_t>(rows_ * pairs_ * 2)};
  }

  /// Rounds and transposes input [rows, stride]. Every member of the team must call it; between its two parts
  /// and after it there must be a wait.
  void round_rows(const Team& team, const float* input, std::size_t stride, ScreenedRows& rows) const {
    constexpr std::size_t block = cache_line / sizeof(float);
    const Range mine = team.share(depth_, block);
    for (std::size_t k = mine.begin; k < mine.end; k += block) {
      const std::size_t width = std::min(block, mine.end - k);
      float* mean = rows.mean.data() + k;
      std::fill_n(mean, width, 0.0f);
      for (std::size_t r = 0; r < rows_; ++r)
        for (std::size_t i = 0; i < width; ++i) mean[i] += input[r * stride + k + i];
      for (std::size_t i = 0; i < width; ++i) mean[i] /= static_cast<float>(rows_);
      for (std::size_t r = 0; r < rows_; ++r)
        for (std::size_t i = 0; i < width; ++i) {
          const float x = input[r * stride + k + i];
          rows.transposed[(k + i) * kernels::screen_rows + r] = x;
          rows.input[r * pairs_ * 2 + k + i] = to_bf16(x - mean[i]);
        }
    }
  }
  void bound_rows(const Team& team, const float* input, std::size_t stride, ScreenedRows& rows) const {
    const Range mine = team.share(rows_);
    for (std::size_t r = mine.begin; r < mine.end; ++r) {
      double error = 0, norm = 0, whole = 0;
      for (std::size_t k = 0; k < depth_; ++k) {
        const double x = input[r * stride + k], rounded = from_bf16(rows.input[r * pairs_ * 2 + k]);
        const double lost = x - rows.mean[k] - rounded;
        error += lost * lost, norm += rounded * rounded, whole += x * x;
      }
      rows.error[r] = upwards(std::sqrt(error) + gamma() * std::sqrt(whole));
      rows.norm[r] = upwards(std::sqrt(norm));
    }
  }

  /// Whether the bounds hold, which they do not where a row is not finite.
  bool is_usable(const ScreenedRows& rows) const {
    const auto finite = [](float x) { return x < std::numeric_limits<float>::infinity(); };
    return std::all_of(rows.error.data(), rows.error.data() + rows_, finite) &&
           std::all_of(rows.norm.data(), rows.norm.data() + rows_, finite);
  }

  /// `exact` computed by way of the screen; its panels start at `column` of the whole matrix.
  kernels::ScreenedMaxSimilarityArgs arguments(const kernels::MaxSimilarityArgs& exact, std::size_t column,
                                               const ScreenedRows& rows) const {
    return {.exact = exact,
            .columns = std::min(columns_ - std::min(column, columns_), exact.padded_columns),
            .transposed = rows.transposed.data(),
            .screen_input = rows.input.data(),
            .screen_weights = weights_.data() + column * pairs_ * 2,
            .pairs = pairs_,
            .row_error = rows.error.data(),
            .row_norm = rows.norm.data(),
            .column_norm = norm_.data() + column,
            .column_error = error_.data() + column};
  }

 private:
  /// Relative to ‖x‖·‖w‖, the rounding of a sum of `depth` products and of what the kernel adds to it.
  double gamma() const { return 1.01 * static_cast<double>(depth_ + 8) * 0x1p-24 + 0x1p-20; }
  static float upwards(double x) { return static_cast<float>(x * (1 + 0x1p-20)); }

  void pack_column(std::span<const float> column, std::size_t n, std::size_t width, std::uint16_t* packed) {
    double norm = 0, error = 0;
    for (std::size_t k = 0; k < depth_; ++k) {
      const std::uint16_t rounded = packed[k / 2 * width * 2 + k % 2] = to_bf16(column[k]);
      const double lost = double{column[k]} - double{from_bf16(rounded)};
      norm += double{column[k]} * double{column[k]}, error += lost * lost;
    }
    norm = std::sqrt(norm), error = std::sqrt(error);
    norm_[n] = upwards(norm);
    // A column so large that what bf16 flushes to zero could count, or a sum overflow, is computed in full.
    error_[n] =
        norm < 1e6 ? upwards(error + gamma() * (norm + error)) : std::numeric_limits<float>::infinity();
  }

  std::size_t columns_, depth_, pairs_, rows_;
  AlignedBuffer<std::uint16_t> weights_;  ///< panels as PackedMatrix's, [pairs][width][2]
  AlignedBuffer<float> norm_, error_;  ///< ‖w‖ and ‖w - ŵ‖ + γ(‖w‖ + ‖w - ŵ‖), per column
};

}  // namespace pantanal::ops
