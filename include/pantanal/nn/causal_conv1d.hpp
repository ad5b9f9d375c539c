// CausalConv1d: a depthwise convolution over time that sees no future.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/tensor.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/nn/rows.hpp"
#include "pantanal/nn/state_dict.hpp"

namespace pantanal::nn {

/// The way a recurrence runs through its sequence.
enum class Direction { forwards, backwards };

/// y[t][c] = act(bias[c] + Σ_j weight[c][0][j]·x[t-(kernel-1)+j][c]), zeros before the first step: PyTorch's
/// nn.Conv1d(d, d, kernel, padding=kernel-1, groups=d)(x)[..., :T]. Backwards, it is that of the flipped
/// sequence. Parameters: weight [d, 1, kernel], bias [d].
class CausalConv1d {
 public:
  static void require(TensorList& list, const std::string& prefix, std::size_t channels, std::size_t kernel) {
    list.add(parameter_name(prefix, "weight"), {channels, 1, kernel});
    list.add(parameter_name(prefix, "bias"), {channels});
  }

  CausalConv1d(const kernels::KernelTable& table, const StateDict& state, const std::string& prefix,
               std::size_t channels, std::size_t kernel)
      : table_(&table),
        stride_(row_stride(channels)),
        kernel_(kernel),
        weights_(kernel * stride_),
        bias_(stride_) {
    const std::span<const float> weight = tensor_values(state, parameter_name(prefix, "weight")),
                                 bias = tensor_values(state, parameter_name(prefix, "bias"));
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t j = 0; j < kernel; ++j) weights_[j * stride_ + c] = weight[c * kernel + j];
      bias_[c] = bias[c];
    }
  }

  /// x and y [sequences, steps, row_stride(channels)], the padding act(0).
  void run(const float* x, Sequences sequences, Direction direction, kernels::Activation activation,
           float* y) const {
    const std::size_t first = direction == Direction::forwards ? 0 : sequences.steps - 1;
    const auto stride = direction == Direction::forwards ? static_cast<std::ptrdiff_t>(stride_)
                                                         : -static_cast<std::ptrdiff_t>(stride_);
    for (std::size_t i = 0; i < sequences.count; ++i) {
      const std::size_t at = (i * sequences.steps + first) * stride_;
      table_->causal_conv({.input = x + at,
                           .input_stride = stride,
                           .weights = weights_.data(),
                           .weights_stride = stride_,
                           .bias = bias_.data(),
                           .output = y + at,
                           .output_stride = stride,
                           .steps = sequences.steps,
                           .channels = stride_,
                           .kernel = kernel_,
                           .activation = activation});
    }
  }

 private:
  const kernels::KernelTable* table_;
  std::size_t stride_, kernel_;
  AlignedBuffer<float> weights_, bias_;
};

}  // namespace pantanal::nn
