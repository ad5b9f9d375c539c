// Scalar references that accumulate in double: each is the specification of the kernel of its name. Images
// are NHWC.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <numbers>
#include <span>
#include <vector>

#include "pantanal/kernels/table.hpp"

namespace pantanal::kernels::reference {

inline double activate(Activation act, double x) {
  const double sigmoid = x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
  switch (act) {
    case Activation::none:
      return x;
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::swish:
      return x * sigmoid;
    case Activation::sigmoid:
      return sigmoid;
  }
  return x;
}

/// output[r][n] = act(Σ_k input[r][k]·weight[n][k] + bias[n]); weight [columns, depth]; bias may be empty.
template <class T>
std::vector<double> pointwise(std::span<const T> input, std::size_t rows, std::span<const float> weight,
                              std::span<const float> bias, std::size_t columns, std::size_t depth,
                              Activation act) {
  std::vector<double> output(rows * columns);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t n = 0; n < columns; ++n) {
      double sum = bias.empty() ? 0.0 : double{bias[n]};
      for (std::size_t k = 0; k < depth; ++k)
        sum += double{input[r * depth + k]} * double{weight[n * depth + k]};
      output[r * columns + n] = activate(act, sum);
    }
  return output;
}

/// An image's geometry for depthwise and conv2d below.
struct ConvShape {
  std::size_t height = 0, width = 0, channels = 0;  ///< of the input
  std::size_t kernel = 3, stride = 1;
  std::size_t top = 0, left = 0, output_height = 0, output_width = 0;
};

/// output[y][x][c] = act(Σ_ij input[y·s+i-top][x·s+j-left][c]·weight[c][i][j] + bias[c]), zeros outside.
template <class T>
std::vector<double> depthwise(std::span<const T> input, const ConvShape& s, std::span<const float> weight,
                              std::span<const float> bias, Activation act) {
  std::vector<double> output(s.output_height * s.output_width * s.channels);
  for (std::size_t y = 0; y < s.output_height; ++y)
    for (std::size_t x = 0; x < s.output_width; ++x)
      for (std::size_t c = 0; c < s.channels; ++c) {
        double sum = bias[c];
        for (std::size_t i = 0; i < s.kernel; ++i)
          for (std::size_t j = 0; j < s.kernel; ++j) {
            const std::size_t row = y * s.stride + i - s.top, column = x * s.stride + j - s.left;
            if (row >= s.height || column >= s.width) continue;  // outside; negative ones wrap to huge
            sum += double{input[(row * s.width + column) * s.channels + c]} *
                   double{weight[(c * s.kernel + i) * s.kernel + j]};
          }
        output[(y * s.output_width + x) * s.channels + c] = activate(act, sum);
      }
  return output;
}

/// maxima[n] = max_r Σ_k input[r][k]·weight[n][k].
template <class T>
std::vector<double> max_similarity(std::span<const T> input, std::size_t rows, std::span<const float> weight,
                                   std::size_t columns, std::size_t depth) {
  const std::vector<double> all = pointwise<T>(input, rows, weight, {}, columns, depth, Activation::none);
  std::vector<double> maxima(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(columns));
  for (std::size_t i = 0; i < all.size(); ++i) maxima[i % columns] = std::max(maxima[i % columns], all[i]);
  return maxima;
}

/// spectrogram[t][m] = scale·ln(max(Σ_b |DFT(window·frame_t)|_b·mel[b][m], floor)); frame t starts at padded
/// sample t·hop. A direct transform: O(frame_length·bins) per frame.
inline std::vector<double> log_mel(std::span<const float> padded, std::size_t frames, std::size_t hop,
                                   std::size_t fft_size, std::span<const float> window,
                                   std::span<const float> mel, std::size_t mel_bands, double floor,
                                   double scale) {
  const std::size_t bins = fft_size / 2 + 1;
  std::vector<std::complex<double>> turn(fft_size);
  for (std::size_t i = 0; i < fft_size; ++i)
    turn[i] = std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(fft_size));
  std::vector<double> spectrogram(frames * mel_bands);
  for (std::size_t t = 0; t < frames; ++t) {
    std::vector<double> energy(mel_bands);
    for (std::size_t b = 0; b < bins; ++b) {
      std::complex<double> sum;
      for (std::size_t n = 0; n < window.size(); ++n)
        sum += double{padded[t * hop + n]} * double{window[n]} * turn[n * b % fft_size];
      for (std::size_t m = 0; m < mel_bands; ++m) energy[m] += std::abs(sum) * double{mel[b * mel_bands + m]};
    }
    for (std::size_t m = 0; m < mel_bands; ++m)
      spectrogram[t * mel_bands + m] = scale * std::log(std::max(energy[m], floor));
  }
  return spectrogram;
}

}  // namespace pantanal::kernels::reference
