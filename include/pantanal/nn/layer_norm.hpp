// LayerNorm: PyTorch's nn.LayerNorm over the last axis.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "pantanal/core/tensor.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/nn/rows.hpp"
#include "pantanal/nn/state_dict.hpp"

namespace pantanal::nn {

/// y = (x - mean)/√(variance + 1e-5)·weight + bias, row by row; the variance is the biased one.
/// Parameters: weight, bias [features]. Source: Ba et al. 2016, "Layer Normalization", arXiv:1607.06450.
class LayerNorm {
 public:
  static constexpr float eps = 1e-5f;

  static void require(TensorList& list, const std::string& prefix, std::size_t features) {
    list.add(parameter_name(prefix, "weight"), {features});
    list.add(parameter_name(prefix, "bias"), {features});
  }

  LayerNorm(const kernels::KernelTable& table, const StateDict& state, const std::string& prefix)
      : table_(&table) {
    const auto copy = [&](const char* name) {
      const std::span<const float> values = tensor_values(state, parameter_name(prefix, name));
      return std::vector<float>(values.begin(), values.end());
    };
    weight_ = copy("weight");
    bias_ = copy("bias");
  }

  /// x [rows, row_stride(features)] -> y of the same layout, which may be x; the padding is left alone.
  void run(const float* x, std::size_t rows, float* y) const {
    const std::size_t stride = row_stride(weight_.size());
    table_->layer_norm(x, rows, stride, weight_.size(), eps, weight_.data(), bias_.data(), y, stride);
  }

 private:
  const kernels::KernelTable* table_;
  std::vector<float> weight_, bias_;
};

}  // namespace pantanal::nn
