// Dropout from a counter-based generator.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "pantanal/autograd/tape.hpp"
#include "pantanal/core/philox.hpp"

namespace pantanal::autograd {

/// Which random stream a draw comes from (RandomStream::purpose): dropout layers are numbered from `dropout`
/// in the order in which their model applies them.
namespace purpose {
inline constexpr std::uint32_t mixup = 1, initial_state = 2, prototypes = 3, batches = 4, spectrograms = 5,
                               dropout = 256;
}  // namespace purpose

/// x <- x·mask, mask being 1/(1-p) with probability 1-p, else 0;  dx <- dx·mask. Column c of row r of a batch
/// draws word c mod 4 of block r·⌈columns/4⌉ + ⌊c/4⌋ of the stream (seed, purpose, epoch), whoever computes
/// it. Source: Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
/// JMLR 15.
class Dropout {
 public:
  Dropout(float p, std::uint32_t stream_purpose) : p_(p), purpose_(stream_purpose) {}

  void plan(Tape& tape, std::size_t rows, std::size_t columns) {
    columns_ = columns;
    if (p_ > 0) mask_ = tape.take(rows, columns);
  }

  bool active(const Pass& pass) const { return p_ > 0 && pass.training; }
  /// The masks of row `row` of the batch; only if active.
  const float* mask(std::size_t row) const { return mask_.row(row); }

  /// Rows first_row … first_row + rows - 1 of a batch, in place.
  void forward(const Pass& pass, std::size_t first_row, std::size_t rows, float* x,
               std::size_t stride) const {
    if (!active(pass)) return;
    for (std::size_t r = 0; r < rows; ++r) draw(pass, first_row + r);
    backward(pass, first_row, rows, x, stride);
  }

  void backward(const Pass& pass, std::size_t first_row, std::size_t rows, float* dx,
                std::size_t stride) const {
    if (!active(pass)) return;
    for (std::size_t r = 0; r < rows; ++r) {
      const float* m = mask_.row(first_row + r);
      float* row = dx + r * stride;
      for (std::size_t c = 0; c < columns_; ++c) row[c] *= m[c];
    }
  }

 private:
  void draw(const Pass& pass, std::size_t row) const {
    const RandomStream stream{.seed = pass.seed, .purpose = purpose_, .step = pass.epoch};
    const float kept = 1 / (1 - p_);
    const auto threshold = static_cast<std::uint32_t>(std::min(double{p_} * 0x1p32, 0x1p32 - 1));
    const std::size_t blocks = (columns_ + 3) / 4;
    float* m = mask_.row(row);
    for (std::size_t b = 0; b < blocks; ++b) {
      const std::array<std::uint32_t, 4> words = stream.block(row * blocks + b);
      for (std::size_t i = 0; i < std::min<std::size_t>(4, columns_ - 4 * b); ++i)
        m[4 * b + i] = words[i] >= threshold ? kept : 0.0f;
    }
  }

  float p_;
  std::uint32_t purpose_;
  std::size_t columns_ = 0;
  Slot mask_;
};

}  // namespace pantanal::autograd
