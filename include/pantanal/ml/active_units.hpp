// ActiveUnits: which outputs of a ReLU are not zero, as the masks that the kernels' products take.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/ml/matrix.hpp"

namespace pantanal::ml {

namespace detail {

/// Turns 64 words of 64 bits: bit c of word r becomes bit r of word c. Halves of blocks are exchanged, of 32
/// bits first and of single ones last.
inline void transpose_bits(std::uint64_t* words) {
  std::uint64_t low = 0x00000000ffffffff;
  for (unsigned half = 32; half > 0; half /= 2, low ^= low << half)
    for (unsigned block = 0; block < 64; block += 2 * half)
      for (unsigned r = block; r < block + half; ++r) {
        const std::uint64_t exchanged = (words[r] >> half ^ words[r + half]) & low;
        words[r] ^= exchanged << half;
        words[r + half] ^= exchanged;
      }
}

}  // namespace detail

/// Masks of a matrix of activations [rows, units] by row and by unit, as PanelGemmArgs::mask. Where most are
/// active, a product over all terms is faster, and the masks are null.
class ActiveUnits {
 public:
  ActiveUnits() = default;
  ActiveUnits(std::size_t rows, std::size_t units)
      : row_words_(words(units)), unit_words_(words(rows)), units_(units) {
    by_row_.resize(rows * row_words_);
    by_unit_.resize(row_words_ * 64 * unit_words_);
  }

  /// Of the first `rows` rows of x.
  template <Real T>
  void find(const kernels::KernelTable& table, const T* x, std::size_t stride, std::size_t rows) {
    if constexpr (std::is_same_v<T, float>)
      table.positive_mask_f32(x, stride, rows, units_, by_row_.data(), row_words_);
    else
      table.positive_mask_f64(x, stride, rows, units_, by_row_.data(), row_words_);
    std::size_t active = 0;
    for (std::size_t i = 0; i < rows * row_words_; ++i)
      active += static_cast<std::size_t>(std::popcount(by_row_[i]));
    rows_ = rows;
    sparse_ = static_cast<double>(active) < most_active * static_cast<double>(rows * units_);
  }

  /// Makes by_unit() of what find() found.
  void transpose() {
    if (!sparse_) return;
    for (std::size_t first = 0; first < rows_; first += 64)
      for (std::size_t w = 0; w < row_words_; ++w) {
        std::uint64_t block[64] = {};
        for (std::size_t r = 0; r < std::min<std::size_t>(64, rows_ - first); ++r)
          block[r] = by_row_[(first + r) * row_words_ + w];
        detail::transpose_bits(block);
        for (std::size_t c = 0; c < 64; ++c) by_unit_[(w * 64 + c) * unit_words_ + first / 64] = block[c];
      }
  }

  const std::uint64_t* by_row() const { return sparse_ ? by_row_.data() : nullptr; }
  std::size_t row_stride() const { return row_words_; }
  const std::uint64_t* by_unit() const { return sparse_ ? by_unit_.data() : nullptr; }
  std::size_t unit_stride() const { return unit_words_; }

 private:
  static constexpr double most_active = 0.65;  ///< a masked term costs 1.4 times an unmasked one
  static std::size_t words(std::size_t bits) { return (bits + 63) / 64; }

  std::vector<std::uint64_t> by_row_, by_unit_;
  std::size_t row_words_ = 0, unit_words_ = 0, units_ = 0, rows_ = 0;
  bool sparse_ = false;
};

}  // namespace pantanal::ml
