// Scalar references in double for the kernels of sequence models: each is the specification of the kernel of
// its name. Arrays are dense and row-major.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>
#include <vector>

#include "pantanal/kernels/reference.hpp"

namespace pantanal::kernels::reference {

inline double map(Function function, double x) {
  switch (function) {
    case Function::exp:
      return std::exp(x);
    case Function::exp2:
      return std::exp2(x);
    case Function::silu:
      return activate(Activation::swish, x);
    case Function::gelu:
      return 0.5 * x * std::erfc(-x / std::numbers::sqrt2);
    case Function::softplus:
      return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
    case Function::relu:
      return std::max(x, 0.0);
  }
  return x;
}

/// output[t][c] = act(bias[c] + Σ_j weight[c][j]·input[t-(kernel-1)+j][c]), zeros before the first step.
inline std::vector<double> causal_conv(std::span<const float> input, std::size_t steps, std::size_t channels,
                                       std::span<const float> weight, std::span<const float> bias,
                                       std::size_t kernel, Activation act) {
  std::vector<double> output(steps * channels);
  for (std::size_t t = 0; t < steps; ++t)
    for (std::size_t c = 0; c < channels; ++c) {
      double sum = bias[c];
      for (std::size_t j = 0; j < kernel; ++j)
        if (t + j + 1 >= kernel)
          sum += double{weight[c * kernel + j]} * double{input[(t + j + 1 - kernel) * channels + c]};
      output[t * channels + c] = activate(act, sum);
    }
  return output;
}

/// What a scan of one sequence leaves: output [steps, channels] and state [channels, states].
struct ScanResult {
  std::vector<double> output, state;
};

/// u, dt [T, D], a [D, N] (not folded), b, c [T, N], skip [D] or empty, state [D, N] or empty.
inline ScanResult selective_scan(std::span<const float> u, std::span<const float> dt,
                                 std::span<const float> a, std::span<const float> b, std::span<const float> c,
                                 std::span<const float> skip, std::span<const float> state,
                                 std::size_t channels, std::size_t states) {
  ScanResult result{std::vector<double>(u.size()), std::vector<double>(channels * states)};
  std::copy(state.begin(), state.end(), result.state.begin());
  for (std::size_t t = 0; t < u.size() / channels; ++t)
    for (std::size_t d = 0; d < channels; ++d) {
      const double x = u[t * channels + d], step = dt[t * channels + d];
      double y = skip.empty() ? 0.0 : x * double{skip[d]};
      for (std::size_t n = 0; n < states; ++n) {
        double& h = result.state[d * states + n];
        h = h * std::exp(step * double{a[d * states + n]}) + x * step * double{b[t * states + n]};
        y += h * double{c[t * states + n]};
      }
      result.output[t * channels + d] = y;
    }
  return result;
}

/// (row - mean)/√(variance + eps)·weight + bias, row by row.
inline std::vector<double> layer_norm(std::span<const float> data, std::size_t columns, double eps,
                                      std::span<const float> weight, std::span<const float> bias) {
  std::vector<double> output(data.size());
  for (std::size_t at = 0; at < data.size(); at += columns) {
    double mean = 0, variance = 0;
    for (std::size_t c = 0; c < columns; ++c) mean += double{data[at + c]} / static_cast<double>(columns);
    for (std::size_t c = 0; c < columns; ++c)
      variance +=
          (double{data[at + c]} - mean) * (double{data[at + c]} - mean) / static_cast<double>(columns);
    for (std::size_t c = 0; c < columns; ++c)
      output[at + c] =
          (double{data[at + c]} - mean) / std::sqrt(variance + eps) * double{weight[c]} + double{bias[c]};
  }
  return output;
}

/// e^(scale·row) / Σ e^(scale·row), row by row.
inline std::vector<double> softmax_rows(std::span<const float> data, std::size_t columns, double scale) {
  std::vector<double> output(data.begin(), data.end());
  for (auto row = output.begin(); row != output.end(); row += static_cast<std::ptrdiff_t>(columns)) {
    const auto end = row + static_cast<std::ptrdiff_t>(columns);
    const double largest = *std::max_element(row, end);
    double sum = 0;
    for (auto x = row; x != end; ++x) sum += * x = std::exp(scale * (*x - largest));
    for (auto x = row; x != end; ++x) *x /= sum;
  }
  return output;
}

}  // namespace pantanal::kernels::reference
