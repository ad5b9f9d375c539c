// Checks of the activations that are good to 12 bits, which kernels of bfloat16 and of bytes have alike.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/guarded.hpp"
#include "pantanal/kernels/reference.hpp"

namespace pantanal::kernels {

/// `coarse` gives what the table's float32 convolution does but for its swish and sigmoid, and NaN stays NaN.
inline void check_coarse_depthwise(const KernelTable& table, void (*coarse)(const DepthwiseArgs&)) {
  constexpr std::size_t size = 9, channels = 32, kernel = 3, outputs = size - kernel + 1;
  const std::vector<float> weights = random_floats(kernel * kernel * channels, 2),
                           bias = random_floats(channels, 3);
  std::vector<float> x = random_floats(size * size * channels, 1);
  x[5] = std::numeric_limits<float>::quiet_NaN();
  for (const Activation act : {Activation::none, Activation::relu, Activation::swish, Activation::sigmoid}) {
    Guarded found(outputs * outputs * channels), sums(outputs * channels);
    std::vector<float> expected(found.size()), expected_sums(sums.size());
    DepthwiseArgs args{.input = x.data(),
                       .input_row_stride = size * channels,
                       .input_stride = channels,
                       .weights = weights.data(),
                       .weights_stride = channels,
                       .bias = bias.data(),
                       .output = found.data(),
                       .output_row_stride = outputs * channels,
                       .output_stride = channels,
                       .row_sums = sums.data(),
                       .row_sums_stride = channels,
                       .rows = outputs,
                       .columns = outputs,
                       .channels = channels,
                       .activation = act};
    coarse(args);
    args.output = expected.data(), args.row_sums = expected_sums.data();
    table.depthwise(args);
    const float allowed = act == Activation::swish || act == Activation::sigmoid ? 0x1p-12f : 0.0f;
    EXPECT_TRUE(std::isnan(found[5]));
    EXPECT_TRUE(std::isnan(sums[5]));
    for (std::size_t i = 0; i < expected.size(); ++i)
      if (i != 5) {
        ASSERT_NEAR(found[i], expected[i], allowed * std::abs(expected[i])) << i;
      }
    for (std::size_t i = 0; i < expected_sums.size(); ++i)
      if (i != 5) {
        ASSERT_NEAR(sums[i], expected_sums[i], 40 * allowed) << i;
      }
  }
}

/// From where swish is nearly nothing to where it is x, and beyond.
inline std::vector<float> swish_inputs() {
  std::vector<float> x;
  for (double v = -1000; v <= 1000; v += v > -20 && v < 20 ? 0.0137 : 3.7) x.push_back(static_cast<float>(v));
  x.insert(x.end(), {-3e38f, 3e38f, 0.0f, -0.0f});
  return x;
}

inline void check_coarse_swish(const std::vector<float>& x, const std::vector<float>& y) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double expected = reference::activate(Activation::swish, double{x[i]});
    ASSERT_NEAR(y[i], expected, 0x1p-12 * std::abs(expected) + 1e-30) << "x = " << x[i];
  }
}

}  // namespace pantanal::kernels
