// Every layer's forward in double, written plainly: what the gradient check differentiates. Rows are dense.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "pantanal/autograd/parameters.hpp"
#include "pantanal/kernels/reference_scan.hpp"

namespace pantanal::autograd::reference {

using Rows = std::vector<double>;

/// x [rows, in] -> [rows, bias or weight rows]; names as in a ParameterSet, the bias' may be empty.
inline Rows linear(ParameterSet& p, const Rows& x, std::size_t in, const std::string& weight,
                   const std::string& bias) {
  const auto w = p[weight].value;
  const std::size_t out = w.size() / in, rows = x.size() / in;
  Rows y(rows * out);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t n = 0; n < out; ++n) {
      double sum = bias.empty() ? 0.0 : double{p[bias].value[n]};
      for (std::size_t k = 0; k < in; ++k) sum += x[r * in + k] * double{w[n * in + k]};
      y[r * out + n] = sum;
    }
  return y;
}

inline Rows linear(ParameterSet& p, const Rows& x, std::size_t in, const std::string& prefix) {
  return linear(p, x, in, prefix + ".weight", prefix + ".bias");
}

inline Rows layer_norm(ParameterSet& p, const Rows& x, const std::string& prefix) {
  const auto w = p[prefix + ".weight"].value, b = p[prefix + ".bias"].value;
  const auto count = static_cast<double>(w.size());
  Rows y(x.size());
  for (std::size_t at = 0; at < x.size(); at += w.size()) {
    double mean = 0, variance = 0;
    for (std::size_t c = 0; c < w.size(); ++c) mean += x[at + c] / count;
    for (std::size_t c = 0; c < w.size(); ++c) variance += std::pow(x[at + c] - mean, 2) / count;
    for (std::size_t c = 0; c < w.size(); ++c)
      y[at + c] = (x[at + c] - mean) / std::sqrt(variance + double{1e-5f}) * double{w[c]} + double{b[c]};
  }
  return y;
}

inline Rows map(kernels::Function function, Rows x) {
  for (double& v : x) v = kernels::reference::map(function, v);
  return x;
}

inline Rows add(Rows x, const Rows& y) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
  return x;
}

/// Files of `steps` rows of `columns`, each turned in time.
inline Rows flip(const Rows& x, std::size_t steps, std::size_t columns) {
  Rows y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t row = i / columns, file = row / steps, t = row % steps;
    y[(file * steps + steps - 1 - t) * columns + i % columns] = x[i];
  }
  return y;
}

inline Rows causal_conv(ParameterSet& p, const Rows& x, std::size_t steps, const std::string& prefix) {
  const auto w = p[prefix + ".weight"].value, b = p[prefix + ".bias"].value;
  const std::size_t d = b.size(), kernel = w.size() / d;
  Rows y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i % d, t = i / d % steps;
    double sum = b[c];
    for (std::size_t j = 0; j < kernel; ++j)
      if (t + j + 1 >= kernel) sum += double{w[c * kernel + j]} * x[i - (kernel - 1 - j) * d];
    y[i] = kernels::reference::map(kernels::Function::silu, sum);
  }
  return y;
}

inline Rows selective_ssm(ParameterSet& p, const Rows& x, std::size_t steps, std::size_t d, std::size_t n,
                          const std::string& prefix) {
  const Rows both = linear(p, x, d, prefix + ".in_proj.weight", "");
  Rows x_ssm(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) x_ssm[i] = both[i / d * 2 * d + i % d];
  const Rows x_conv = causal_conv(p, x_ssm, steps, prefix + ".conv1d"),
             dt = map(kernels::Function::softplus, linear(p, x_conv, d, prefix + ".dt_proj")),
             b = linear(p, x_conv, d, prefix + ".B_proj.weight", ""),
             c = linear(p, x_conv, d, prefix + ".C_proj.weight", "");
  const auto a_log = p[prefix + ".A_log"].value, skip = p[prefix + ".D"].value;
  Rows y(x.size()), h(d * n);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t channel = i % d, row = i / d;
    y[i] = x[i] * double{skip[channel]};
    for (std::size_t s = 0; s < n; ++s) {
      double& state = h[channel * n + s];
      if (row % steps == 0) state = 0;
      state =
          state * std::exp(-std::exp(double{a_log[channel * n + s]}) * dt[i]) + x[i] * dt[i] * b[row * n + s];
      y[i] += state * c[row * n + s];
    }
  }
  return y;
}

inline Rows bidirectional_ssm(ParameterSet& p, const Rows& x, std::size_t steps, std::size_t d,
                              std::size_t n) {
  const Rows forwards = selective_ssm(p, x, steps, d, n, "ssm_fwd"),
             backwards = flip(selective_ssm(p, flip(x, steps, d), steps, d, n, "ssm_bwd"), steps, d);
  Rows both(2 * x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    both[i / d * 2 * d + i % d] = forwards[i];
    both[i / d * 2 * d + d + i % d] = backwards[i];
  }
  return layer_norm(p, add(linear(p, both, 2 * d, "ssm_merge"), x), "ssm_norm");
}

inline Rows attention(ParameterSet& p, const Rows& x, std::size_t steps, std::size_t d, std::size_t heads,
                      const std::string& prefix) {
  const Rows qkv = linear(p, x, d, prefix + ".in_proj_weight", prefix + ".in_proj_bias");
  const std::size_t width = d / heads, rows = x.size() / d;
  Rows joined(x.size());
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t head = 0; head < heads; ++head) {
      const std::size_t first = r / steps * steps;
      std::vector<double> weight(steps);
      double sum = 0;
      for (std::size_t t = 0; t < steps; ++t) {
        double score = 0;
        for (std::size_t i = 0; i < width; ++i)
          score += qkv[r * 3 * d + head * width + i] * qkv[(first + t) * 3 * d + d + head * width + i];
        sum += weight[t] = std::exp(score / std::sqrt(static_cast<double>(width)));
      }
      for (std::size_t t = 0; t < steps; ++t)
        for (std::size_t i = 0; i < width; ++i)
          joined[r * d + head * width + i] +=
              weight[t] / sum * qkv[(first + t) * 3 * d + 2 * d + head * width + i];
    }
  return linear(p, joined, d, prefix + ".out_proj");
}

inline Rows feed_forward(ParameterSet& p, const Rows& x, std::size_t d, std::size_t hidden,
                         const std::string& prefix) {
  return linear(p, map(kernels::Function::gelu, linear(p, x, d, prefix + ".0")), hidden, prefix + ".3");
}

/// logits dense [rows, classes], or empty.
inline Rows prototype_head(ParameterSet& p, const Rows& h, std::size_t d, std::span<const float> logits) {
  const auto prototypes = p["prototypes"].value, bias = p["class_bias"].value,
             fusion = p["fusion_alpha"].value;
  const double temperature =
      kernels::reference::map(kernels::Function::softplus, double{p["proto_temp"].value[0]});
  const std::size_t classes = bias.size(), per_class = prototypes.size() / classes / d;
  Rows y(h.size() / d * classes);
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t r = i / classes, k = i % classes;
    double nearest = -1;
    for (std::size_t p = k * per_class; p < (k + 1) * per_class; ++p) {
      double dot = 0, squares = 0, lengths = 0;
      for (std::size_t j = 0; j < d; ++j) {
        dot += h[r * d + j] * double{prototypes[p * d + j]}, squares += h[r * d + j] * h[r * d + j];
        lengths += std::pow(double{prototypes[p * d + j]}, 2);
      }
      nearest = std::max(nearest, dot / std::sqrt(squares * lengths));
    }
    y[i] = nearest * temperature + double{bias[k]};
    if (logits.empty()) continue;
    const double gate = 1 / (1 + std::exp(-double{fusion[k]}));
    y[i] = gate * y[i] + (1 - gate) * double{logits[i]};
  }
  return y;
}

}  // namespace pantanal::autograd::reference
