// Scalar references in double for the kernels of training: each is the specification of the kernel of its
// name. Arrays are dense and row-major.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>
#include <vector>

#include "pantanal/kernels/reference_scan.hpp"

namespace pantanal::kernels::reference {

/// Σ_k a[i][k]·b[k][j], a [rows, depth], b [depth, columns].
inline std::vector<double> gemm(std::span<const float> a, std::span<const float> b, std::size_t rows,
                                std::size_t columns, std::size_t depth) {
  std::vector<double> c(rows * columns);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t k = 0; k < depth; ++k)
      for (std::size_t j = 0; j < columns; ++j)
        c[i * columns + j] += double{a[i * depth + k]} * double{b[k * columns + j]};
  return c;
}

/// The derivative of map().
inline double slope(Function function, double x) {
  const double sigmoid = activate(Activation::sigmoid, x);
  switch (function) {
    case Function::exp:
      return std::exp(x);
    case Function::exp2:
      return std::exp2(x) * std::numbers::ln2;
    case Function::silu:
      return sigmoid * (1 + x * (1 - sigmoid));
    case Function::gelu:
      return 0.5 * std::erfc(-x / std::numbers::sqrt2) +
             x * std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
    case Function::softplus:
      return sigmoid;
    case Function::relu:
      return x > 0 ? 1 : 0;
  }
  return 0;
}

struct LayerNormGradients {
  std::vector<double> dx, dweight, dbias;
};

inline LayerNormGradients layer_norm_backward(std::span<const float> x, std::span<const float> dy,
                                              std::span<const float> weight, std::size_t columns,
                                              double eps) {
  LayerNormGradients g{std::vector<double>(x.size()), std::vector<double>(columns),
                       std::vector<double>(columns)};
  const std::vector<float> ones(columns, 1.0f), zeros(columns);
  const std::vector<double> normed = layer_norm(x, columns, eps, ones, zeros);
  const auto count = static_cast<double>(columns);
  for (std::size_t at = 0; at < x.size(); at += columns) {
    double mean = 0, variance = 0, sum = 0, product = 0;
    for (std::size_t c = 0; c < columns; ++c) mean += double{x[at + c]} / count;
    for (std::size_t c = 0; c < columns; ++c) {
      variance += std::pow(double{x[at + c]} - mean, 2) / count;
      const double slope = double{dy[at + c]} * double{weight[c]};
      sum += slope / count, product += slope * normed[at + c] / count;
      g.dweight[c] += double{dy[at + c]} * normed[at + c], g.dbias[c] += double{dy[at + c]};
    }
    for (std::size_t c = 0; c < columns; ++c)
      g.dx[at + c] = (double{dy[at + c]} * double{weight[c]} - sum - normed[at + c] * product) /
                     std::sqrt(variance + eps);
  }
  return g;
}

struct CausalConvGradients {
  std::vector<double> dsum, dx, dweight, dbias;  ///< dsum: of the sum before the activation; dweight [c][j]
};

inline CausalConvGradients causal_conv_backward(std::span<const float> input, std::span<const float> dy,
                                                std::size_t steps, std::size_t channels,
                                                std::span<const float> weight, std::span<const float> bias,
                                                std::size_t kernel, bool swish) {
  CausalConvGradients g{causal_conv(input, steps, channels, weight, bias, kernel, Activation::none),
                        std::vector<double>(input.size()), std::vector<double>(weight.size()),
                        std::vector<double>(channels)};
  for (std::size_t t = 0; t < steps; ++t)
    for (std::size_t c = 0; c < channels; ++c) {
      double& sum = g.dsum[t * channels + c];
      sum = double{dy[t * channels + c]} * (swish ? slope(Function::silu, sum) : 1.0);
      g.dbias[c] += sum;
      for (std::size_t j = 0; j < kernel; ++j) {
        if (t + j + 1 < kernel) continue;
        const std::size_t from = (t + j + 1 - kernel) * channels + c;
        g.dx[from] += sum * double{weight[c * kernel + j]};
        g.dweight[c * kernel + j] += sum * double{input[from]};
      }
    }
  return g;
}

struct ScanGradients {
  std::vector<double> du, ddt, da, db, dc, dskip;  ///< of the shapes of u, dt, a, b, c, skip
};

/// The gradient of selective_scan from a state of zeros; dy [T, D], the others as there. It stores every
/// state.
inline ScanGradients selective_scan_backward(std::span<const float> u, std::span<const float> dt,
                                             std::span<const float> a, std::span<const float> b,
                                             std::span<const float> c, std::span<const float> skip,
                                             std::span<const float> dy, std::size_t channels,
                                             std::size_t states) {
  const std::size_t steps = u.size() / channels;
  ScanGradients g{std::vector<double>(u.size()), std::vector<double>(u.size()),
                  std::vector<double>(a.size()), std::vector<double>(b.size()),
                  std::vector<double>(c.size()), std::vector<double>(channels)};
  for (std::size_t d = 0; d < channels; ++d)
    for (std::size_t n = 0; n < states; ++n) {
      const double rate = a[d * states + n];
      std::vector<double> h(steps + 1);
      for (std::size_t t = 0; t < steps; ++t)
        h[t + 1] = h[t] * std::exp(double{dt[t * channels + d]} * rate) +
                   double{u[t * channels + d]} * double{dt[t * channels + d]} * double{b[t * states + n]};
      double carried = 0;
      for (std::size_t t = steps; t-- > 0;) {
        const std::size_t at = t * channels + d, weight = t * states + n;
        const double dh = carried + double{dy[at]} * double{c[weight]}, step = dt[at], x = u[at];
        carried = dh * std::exp(step * rate);
        g.dc[weight] += double{dy[at]} * h[t + 1], g.db[weight] += dh * x * step;
        g.du[at] += dh * double{b[weight]} * step;
        g.ddt[at] += dh * double{b[weight]} * x + carried * h[t] * rate;
        g.da[d * states + n] += carried * h[t] * step;
      }
    }
  for (std::size_t i = 0; i < u.size() && !skip.empty(); ++i) {
    g.du[i] += double{dy[i]} * double{skip[i % channels]};
    g.dskip[i % channels] += double{dy[i]} * double{u[i]};
  }
  return g;
}

struct DepthwiseGradients {
  std::vector<double> dx, dweights, dbias;  ///< dweights [kernel·kernel][channels]
};

/// Of one image: input [input_rows, input_columns, channels], dy [output_rows, output_columns, channels].
inline DepthwiseGradients depthwise_backward(const DepthwiseShape& s, std::size_t channels,
                                             std::span<const float> input, std::span<const float> dy,
                                             std::span<const float> weights) {
  DepthwiseGradients g{std::vector<double>(input.size()), std::vector<double>(weights.size()),
                       std::vector<double>(channels)};
  for (std::size_t at = 0; at < dy.size(); ++at) {
    const std::size_t c = at % channels, x = at / channels % s.output_columns,
                      y = at / channels / s.output_columns;
    g.dbias[c] += double{dy[at]};
    for (std::size_t tap = 0; tap < s.kernel * s.kernel; ++tap) {
      const std::size_t row = y * s.stride + tap / s.kernel - s.top,
                        column = x * s.stride + tap % s.kernel - s.left;
      if (row >= s.input_rows || column >= s.input_columns) continue;
      const std::size_t from = (row * s.input_columns + column) * channels + c;
      g.dx[from] += double{dy[at]} * double{weights[tap * channels + c]};
      g.dweights[tap * channels + c] += double{dy[at]} * double{input[from]};
    }
  }
  return g;
}

}  // namespace pantanal::kernels::reference
