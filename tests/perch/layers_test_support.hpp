// Runs one layer on random input beside its reference.
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "kernels/guarded.hpp"
#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/perch/layer.hpp"

namespace pantanal::perch {

/// `x` [pixels, channels] as layers take it: [pixels, pixel_stride(channels)], the padding zero.
inline AlignedBuffer<float> padded_pixels(std::span<const float> x, std::size_t channels) {
  const std::size_t stride = pixel_stride(channels);
  AlignedBuffer<float> padded(x.size() / channels * stride);
  for (std::size_t i = 0; i < x.size(); ++i) padded[i / channels * stride + i % channels] = x[i];
  return padded;
}

/// ‖found - expected‖ / ‖expected‖ over the pixels' real channels.
inline double relative_error(const AlignedBuffer<float>& found, std::span<const double> expected,
                             std::size_t channels) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double f = double{found[i / channels * pixel_stride(channels) + i % channels]};
    difference += (f - expected[i]) * (f - expected[i]);
    norm += expected[i] * expected[i];
  }
  return std::sqrt(difference / norm);
}

inline std::vector<double> to_double(std::span<const float> x) { return {x.begin(), x.end()}; }

}  // namespace pantanal::perch
