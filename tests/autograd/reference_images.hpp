// Perch's layers in double, written plainly, with the trained form's parameters: what the gradient check
// differentiates. Images are dense, [files][height][width][channels].
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "autograd/reference_layers.hpp"
#include "pantanal/kernels/reference_scan.hpp"
#include "pantanal/perch/architecture.hpp"

namespace pantanal::autograd::reference {

inline Rows activate(perch::Activation activation, Rows x) {
  if (activation == perch::Activation::none) return x;
  return map(activation == perch::Activation::relu ? kernels::Function::relu : kernels::Function::silu,
             std::move(x));
}

/// scale_c·Σ weight_c·x + bias_c by rows; PREFIX.weight [out, in], PREFIX.scale, PREFIX.bias.
inline Rows pointwise(ParameterSet& p, const Rows& x, std::size_t in, const std::string& prefix) {
  const auto scale = p[prefix + ".scale"].value, bias = p[prefix + ".bias"].value;
  Rows y = linear(p, x, in, prefix + ".weight", "");
  for (std::size_t i = 0; i < y.size(); ++i)
    y[i] = y[i] * double{scale[i % scale.size()]} + double{bias[i % bias.size()]};
  return y;
}

/// scale_c·Σ_ij weight_c[i][j]·x[…][c] + bias_c. One channel of x serves all, if it has only one.
inline Rows depthwise(ParameterSet& p, const Rows& x, perch::Extent in, const perch::ConvGeometry& conv,
                      const std::string& prefix) {
  const auto weight = p[prefix + ".weight"].value, scale = p[prefix + ".scale"].value,
             bias = p[prefix + ".bias"].value;
  const std::size_t channels = bias.size(), k = conv.kernel;
  const perch::Extent out = conv.output(in);
  const std::size_t x_channels = prefix == "stem" ? 1 : channels,
                    files = x.size() / in.positions() / x_channels;
  Rows y(files * out.positions() * channels);
  for (std::size_t at = 0; at < y.size(); ++at) {
    const std::size_t c = at % channels, w = at / channels % out.width,
                      h = at / channels / out.width % out.height, file = at / channels / out.positions();
    double sum = 0;
    for (std::size_t t = 0; t < k * k; ++t) {
      const std::size_t row = h * conv.stride + t / k - conv.pads.top,
                        column = w * conv.stride + t % k - conv.pads.left;
      if (row < in.height && column < in.width)
        sum += double{weight[c * k * k + t]} *
               x[((file * in.height + row) * in.width + column) * x_channels + c % x_channels];
    }
    y[at] = sum * double{scale[c]} + double{bias[c]};
  }
  return y;
}

/// Per file, the mean over positions.
inline Rows position_mean(const Rows& x, std::size_t positions, std::size_t channels) {
  Rows mean(x.size() / positions);
  for (std::size_t i = 0; i < x.size(); ++i)
    mean[i / (positions * channels) * channels + i % channels] += x[i] / static_cast<double>(positions);
  return mean;
}

inline Rows squeeze_excite(ParameterSet& p, Rows x, std::size_t positions, std::size_t channels,
                           perch::Activation activation, const std::string& prefix) {
  const std::size_t reduced = p[prefix + ".reduce.bias"].value.size();
  const Rows inner =
      activate(activation, linear(p, position_mean(x, positions, channels), channels, prefix + ".reduce"));
  const Rows gate = linear(p, inner, reduced, prefix + ".expand");
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] /= 1 + std::exp(-gate[i / (positions * channels) * channels + i % channels]);
  return x;
}

inline Rows mbconv(ParameterSet& p, const Rows& x, const perch::Block& block, perch::Extent in,
                   const std::string& prefix) {
  Rows wide = x;
  if (block.has_expand)
    wide = activate(block.expand_activation, pointwise(p, x, block.in_channels, prefix + ".expand"));
  wide = activate(block.depthwise_activation, depthwise(p, wide, in, block.depthwise, prefix + ".depthwise"));
  wide = squeeze_excite(p, wide, block.depthwise.output(in).positions(), block.expanded_channels,
                        block.se_activation, prefix + ".se");
  const Rows y = pointwise(p, wide, block.expanded_channels, prefix + ".project");
  return block.has_skip ? add(y, x) : y;
}

/// Logits, [files][classes].
inline Rows label_head(ParameterSet& p, const Rows& x, std::size_t positions, std::size_t channels,
                       const perch::LabelHead& label) {
  const auto prototypes = p["label.prototypes"].value, scale = p["label.scale"].value,
             bias = p["label.bias"].value;
  const std::size_t files = x.size() / positions / channels;
  Rows logits(files * label.classes);
  for (std::size_t file = 0; file < files; ++file)
    for (std::size_t r = 0; r < scale.size(); ++r) {
      double most = -2, length = 0;
      for (std::size_t c = 0; c < channels; ++c) length += std::pow(prototypes[r * channels + c], 2);
      for (std::size_t at = 0; at < positions; ++at) {
        double dot = 0, norm = 0;
        for (std::size_t c = 0; c < channels; ++c) {
          const double v = x[(file * positions + at) * channels + c];
          dot += v * double{prototypes[r * channels + c]}, norm += v * v;
        }
        most = std::max(most, dot / (std::sqrt(norm) + double{label.eps}) / std::sqrt(length));
      }
      double& logit = logits[file * label.classes + r / label.prototypes];
      if (r % label.prototypes == 0) logit += double{bias[r / label.prototypes]};
      logit += std::max(double{scale[r]}, 0.0) * most;
    }
  return logits;
}

}  // namespace pantanal::autograd::reference
