// Linear: PyTorch's nn.Linear.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "pantanal/core/tensor.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/nn/rows.hpp"
#include "pantanal/nn/state_dict.hpp"
#include "pantanal/ops/packed_matrix.hpp"

namespace pantanal::nn {

/// y = x·Wᵀ + b (+ residual): [rows, in_features] -> [rows, out_features].
/// Parameters: weight [out_features, in_features], bias [out_features] where it has one.
class Linear {
 public:
  static void require(TensorList& list, const std::string& prefix, std::size_t in_features,
                      std::size_t out_features, bool bias = true) {
    list.add(parameter_name(prefix, "weight"), {out_features, in_features});
    if (bias) list.add(parameter_name(prefix, "bias"), {out_features});
  }

  /// `weight` and `bias`, which may be empty, need not outlive the layer.
  Linear(const kernels::KernelTable& table, std::span<const float> weight, std::span<const float> bias,
         std::size_t in_features, std::size_t out_features)
      : table_(&table), weights_(ops::pack_matrix(table, weight, bias, out_features, in_features)) {}

  /// `state` must hold what require() lists.
  Linear(const kernels::KernelTable& table, const StateDict& state, const std::string& prefix,
         std::size_t in_features, std::size_t out_features)
      : Linear(table, tensor_values(state, parameter_name(prefix, "weight")),
               tensor_values(state, parameter_name(prefix, "bias")), in_features, out_features) {}

  std::size_t in_features() const { return weights_.depth; }
  std::size_t out_features() const { return weights_.columns; }
  std::size_t output_stride() const { return weights_.padded_columns; }

  /// x [rows, x_stride] -> y [rows, output_stride()], the padding zero. `residual`, of y's layout, is added
  /// and may be y.
  void run(const float* x, std::size_t x_stride, std::size_t rows, float* y,
           const float* residual = nullptr) const {
    table_->pointwise({.input = x,
                       .input_stride = x_stride,
                       .weights = weights_.weights.data(),
                       .bias = weights_.bias.data(),
                       .residual = residual,
                       .residual_stride = output_stride(),
                       .output = y,
                       .output_stride = output_stride(),
                       .rows = rows,
                       .depth = weights_.depth,
                       .padded_columns = weights_.padded_columns});
  }

 private:
  const kernels::KernelTable* table_;
  ops::PackedMatrix weights_;
};

}  // namespace pantanal::nn
