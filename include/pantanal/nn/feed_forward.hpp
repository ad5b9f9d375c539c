// FeedForward: two dense layers with a GELU between them.
#pragma once

#include <cstddef>
#include <string>

#include "pantanal/core/tensor.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/nn/activations.hpp"
#include "pantanal/nn/linear.hpp"
#include "pantanal/nn/rows.hpp"
#include "pantanal/nn/state_dict.hpp"

namespace pantanal::nn {

/// y = W₂·gelu(W₁·x + b₁) + b₂ (+ residual), x [rows, d], hidden width `hidden`: nn.Sequential(Linear, GELU,
/// Dropout, Linear, Dropout) without its dropouts, hence the names. Parameters: 0.weight [hidden, d], 0.bias
/// [hidden], 3.weight [d, hidden], 3.bias [d].
class FeedForward {
 public:
  static void require(TensorList& list, const std::string& prefix, std::size_t d, std::size_t hidden) {
    Linear::require(list, parameter_name(prefix, "0"), d, hidden);
    Linear::require(list, parameter_name(prefix, "3"), hidden, d);
  }

  FeedForward(const kernels::KernelTable& table, const StateDict& state, const std::string& prefix,
              std::size_t d, std::size_t hidden)
      : table_(&table),
        first_(table, state, parameter_name(prefix, "0"), d, hidden),
        second_(table, state, parameter_name(prefix, "3"), hidden, d) {}

  std::size_t scratch_size(std::size_t rows) const { return Scratch::size_of(rows * first_.output_stride()); }

  /// x [rows, row_stride(d)] -> y of the same layout; `residual`, of the same layout, is added and may be y.
  void run(const float* x, std::size_t rows, float* y, const float* residual, Scratch scratch) const {
    float* hidden = scratch.take(rows * first_.output_stride());
    first_.run(x, row_stride(first_.in_features()), rows, hidden);
    gelu(*table_, hidden, rows, first_.output_stride(), first_.out_features());
    second_.run(hidden, first_.output_stride(), rows, y, residual);
  }

 private:
  const kernels::KernelTable* table_;
  Linear first_, second_;
};

}  // namespace pantanal::nn
