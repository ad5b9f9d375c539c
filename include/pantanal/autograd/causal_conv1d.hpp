// CausalConv1d with its backward, the SiLU after it included.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include "pantanal/autograd/parameters.hpp"
#include "pantanal/autograd/tape.hpp"
#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/nn/causal_conv1d.hpp"

namespace pantanal::autograd {

/// y[t][c] = silu(bias[c] + Σ_j weight[c][0][j]·x[t-(kernel-1)+j][c]), nn::CausalConv1d followed by silu;
/// with s the sum, ds = dy·silu'(s),  dx[t] = Σ_j weight[j]·ds[t+(kernel-1)-j],  dweight[j] = Σ_t
/// ds[t]·x[t-(kernel-1)+j].
class CausalConv1d {
 public:
  CausalConv1d(const kernels::KernelTable& table, ParameterSet& parameters, const std::string& prefix,
               std::size_t channels, std::size_t kernel)
      : table_(&table),
        channels_(channels),
        stride_(nn::row_stride(channels)),
        kernel_(kernel),
        weight_(parameters[prefix + ".weight"]),
        bias_(parameters[prefix + ".bias"]),
        taps_(kernel * stride_),
        taps_bias_(stride_),
        gradient_((kernel + 1) * stride_) {}

  /// This member's share of reading the parameters.
  void pack(const Team& team) {
    const Range mine = team.share(channels_, ops::channel_padding);
    for (std::size_t c = mine.begin; c < mine.end; ++c) {
      for (std::size_t j = 0; j < kernel_; ++j) taps_[j * stride_ + c] = weight_.value[c * kernel_ + j];
      taps_bias_[c] = bias_.value[c];
    }
  }

  /// x and y [rows, row_stride(channels)].
  void forward(const Pass& pass, const float* x, nn::Direction direction, float* y) const {
    for (std::size_t i = 0; i < pass.files.size(); ++i) {
      const std::size_t at = start(pass.steps, i, direction);
      table_->causal_conv({.input = x + at,
                           .input_stride = signed_stride(direction),
                           .weights = taps_.data(),
                           .weights_stride = stride_,
                           .bias = taps_bias_.data(),
                           .output = y + at,
                           .output_stride = signed_stride(direction),
                           .steps = pass.steps,
                           .channels = stride_,
                           .kernel = kernel_,
                           .activation = kernels::Activation::swish});
    }
  }

  /// dy becomes ds, which weight_gradient() wants; -> dx.
  void backward(const Pass& pass, const float* x, nn::Direction direction, float* dy, float* dx) const {
    for (std::size_t i = 0; i < pass.files.size(); ++i) {
      const std::size_t at = start(pass.steps, i, direction);
      table_->causal_conv_backward({.input = x + at,
                                    .input_stride = signed_stride(direction),
                                    .weights = taps_.data(),
                                    .weights_stride = stride_,
                                    .bias = taps_bias_.data(),
                                    .dy = dy + at,
                                    .dy_stride = signed_stride(direction),
                                    .dx = dx + at,
                                    .dx_stride = signed_stride(direction),
                                    .steps = pass.steps,
                                    .channels = stride_,
                                    .kernel = kernel_,
                                    .swish = true});
    }
  }

  /// This member's share, over all files of a batch.
  void weight_gradient(const Team& team, nn::Sequences sequences, const float* x, nn::Direction direction,
                       const float* ds) {
    const Range mine = team.share(stride_, ops::channel_padding);
    if (mine.size() == 0) return;
    const std::size_t at = start(sequences.steps, 0, direction) + mine.begin;
    float* dbias = gradient_.data() + kernel_ * stride_;
    table_->causal_conv_weight_gradient({.input = x + at,
                                         .input_stride = signed_stride(direction),
                                         .dy = ds + at,
                                         .dy_stride = signed_stride(direction),
                                         .sequences = sequences.count,
                                         .sequence_stride = sequences.steps * stride_,
                                         .dweights = gradient_.data() + mine.begin,
                                         .weights_stride = stride_,
                                         .dbias = dbias + mine.begin,
                                         .steps = sequences.steps,
                                         .channels = mine.size(),
                                         .kernel = kernel_});
    for (std::size_t c = mine.begin; c < std::min(mine.end, channels_); ++c) {
      for (std::size_t j = 0; j < kernel_; ++j)
        weight_.gradient[c * kernel_ + j] = gradient_[j * stride_ + c];
      bias_.gradient[c] = dbias[c];
    }
  }

 private:
  std::ptrdiff_t signed_stride(nn::Direction direction) const {
    const auto stride = static_cast<std::ptrdiff_t>(stride_);
    return direction == nn::Direction::forwards ? stride : -stride;
  }
  /// Floats to the step of sequence i that comes first.
  std::size_t start(std::size_t steps, std::size_t i, nn::Direction direction) const {
    return (i * steps + (direction == nn::Direction::forwards ? 0 : steps - 1)) * stride_;
  }

  const kernels::KernelTable* table_;
  std::size_t channels_, stride_, kernel_;
  Parameter weight_, bias_;
  AlignedBuffer<float> taps_, taps_bias_;  ///< as the kernel takes them, [kernel][stride]
  AlignedBuffer<float> gradient_;          ///< the same, and the bias's
};

}  // namespace pantanal::autograd
