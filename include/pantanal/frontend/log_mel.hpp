// LogMel: five seconds of samples to a log-mel spectrogram.
// Source: google-research/perch, chirp/models/frontend.py and chirp/signal.py; FFT: Cooley & Tukey 1965.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/kernels/dispatch.hpp"

namespace pantanal::frontend {

/// Geometry of the transform; counts in samples, bins and bands.
struct LogMelOptions {
  std::size_t samples = 160000, pad_left = 160, pad_right = 160;
  std::size_t frame_length = 640, hop_length = 320;
  std::size_t fft_size = 1024;  ///< a power of two, 4 or more, at least frame_length
  std::size_t mel_bands = 128;
  float floor = 1e-5f, scale = 0.1f;

  std::size_t frames() const { return (samples + pad_left + pad_right - frame_length) / hop_length + 1; }
};

/// spectrogram[t][m] = scale·ln(max(Σ_b |FFT(window·frame_t)|_b·mel[b][m], floor)), frames taken from the
/// samples with pad_left zeros before and pad_right after. The transform runs in double precision.
class LogMel {
 public:
  /// `window` [frame_length], `mel` [fft_size/2 + 1, mel_bands] row-major. Only the stretch between a band's
  /// first and last non-zero weight is kept.
  LogMel(const kernels::KernelTable& table, const LogMelOptions& options, std::span<const float> window,
         std::span<const float> mel)
      : table_(&table), options_(options), window_(window.begin(), window.end()) {
    make_bit_reversal();
    make_twiddles();
    make_bands(mel);
  }

  const LogMelOptions& options() const { return options_; }

  /// Floats that `padded` of run() must have room for.
  std::size_t padded_size() const { return options_.samples + options_.pad_left + options_.pad_right; }
  /// Floats that each team member's `scratch` of run() must have room for.
  std::size_t scratch_size() const {
    return scratch_size(options_.fft_size, options_.mel_bands, table_->vector_floats);
  }
  static std::size_t scratch_size(std::size_t fft_size, std::size_t mel_bands, std::size_t lanes) {
    const std::size_t bands = (mel_bands + lanes - 1) / lanes * lanes;
    return (3 * fft_size / 2 + 1) * lanes + bands * lanes / 2;
  }

  /// samples [samples] -> spectrogram [frames, mel_bands]. `padded` is shared by the team, `scratch` is the
  /// member's own, 64-byte aligned. No allocation. Every member of the team must call it; it ends with a
  /// wait.
  void run(const Team& team, std::span<const float> samples, float* spectrogram, float* padded,
           float* scratch) const {
    const Range zeros_and_samples = team.share(padded_size(), cache_line);
    for (std::size_t i = zeros_and_samples.begin; i < zeros_and_samples.end; ++i) {
      const bool inside = i >= options_.pad_left && i - options_.pad_left < options_.samples;
      padded[i] = inside ? samples[i - options_.pad_left] : 0.0f;
    }
    team.wait();
    const Range frames = team.share(options_.frames(), cache_line / sizeof(float));
    table_->log_mel({.samples = padded + frames.begin * options_.hop_length,
                     .frames = frames.size(),
                     .frame_length = options_.frame_length,
                     .hop_length = options_.hop_length,
                     .fft_size = options_.fft_size,
                     .window = window_.data(),
                     .bit_reversal = bit_reversal_.data(),
                     .butterflies = butterflies_.data(),
                     .twiddles = twiddles_.data(),
                     .bands = bands_.data(),
                     .band_weights = band_weights_.data(),
                     .mel_bands = options_.mel_bands,
                     .floor = options_.floor,
                     .scale = options_.scale,
                     .scratch = scratch,
                     .spectrogram = spectrogram + frames.begin * options_.mel_bands,
                     .spectrogram_stride = options_.mel_bands});
    team.wait();
  }

 private:
  void make_bit_reversal() {
    const std::size_t points = options_.fft_size / 2;
    const int bits = std::countr_zero(points);
    bit_reversal_.assign(points, 0);
    for (std::size_t n = 1; n < points; ++n)
      bit_reversal_[n] = static_cast<std::uint32_t>(bit_reversal_[n / 2] / 2 | (n % 2) << (bits - 1));
  }

  static void append_root(std::vector<double>& to, std::size_t power, std::size_t order) {
    const double angle = -2.0 * std::numbers::pi * static_cast<double>(power) / static_cast<double>(order);
    to.push_back(std::cos(angle));
    to.push_back(std::sin(angle));
  }

  void make_twiddles() {
    for (std::size_t block = options_.fft_size / 2; block > 8; block /= 4)
      for (std::size_t j = 0; j < block / 4; ++j)
        for (std::size_t turn = 1; turn <= 3; ++turn) append_root(butterflies_, turn * j, block);
    for (std::size_t j = 0; j <= options_.fft_size / 4; ++j) append_root(twiddles_, j, options_.fft_size);
  }

  void make_bands(std::span<const float> mel) {
    const std::size_t bins = options_.fft_size / 2 + 1, width = options_.mel_bands;
    for (std::size_t m = 0; m < width; ++m) {
      std::size_t first = 0, end = bins;
      while (first < bins && mel[first * width + m] == 0.0f) ++first;
      while (end > first && mel[(end - 1) * width + m] == 0.0f) --end;
      bands_.push_back({static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(end - first),
                        static_cast<std::uint32_t>(band_weights_.size())});
      for (std::size_t b = first; b < end; ++b) band_weights_.push_back(mel[b * width + m]);
    }
  }

  const kernels::KernelTable* table_;
  LogMelOptions options_;
  std::vector<double> window_;
  std::vector<std::uint32_t> bit_reversal_;
  std::vector<double> butterflies_, twiddles_;
  std::vector<kernels::MelBand> bands_;
  std::vector<double> band_weights_;
};

}  // namespace pantanal::frontend
