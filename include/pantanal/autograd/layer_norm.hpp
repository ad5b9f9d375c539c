// LayerNorm with its backward.
#pragma once

#include <cstddef>
#include <string>

#include "pantanal/autograd/parameters.hpp"
#include "pantanal/autograd/tape.hpp"
#include "pantanal/nn/layer_norm.hpp"

namespace pantanal::autograd {

/// y = x̂·weight + bias with x̂ = (x - mean)/√(variance + 1e-5), row by row;  with g = dy·weight,
/// dx = (g - mean(g) - x̂·mean(g·x̂))/√(variance + 1e-5),  dweight = Σ_rows dy·x̂,  dbias = Σ_rows dy.
class LayerNorm {
 public:
  LayerNorm(const kernels::KernelTable& table, ParameterSet& parameters, const std::string& prefix)
      : table_(&table), weight_(parameters[prefix + ".weight"]), bias_(parameters[prefix + ".bias"]) {}

  std::size_t features() const { return weight_.value.size(); }
  std::size_t stride() const { return nn::row_stride(features()); }

  void plan(Tape& tape, nn::Sequences most) { statistics_ = tape.take(1, 2 * most.rows()); }

  /// x [rows, stride()] -> y of the same layout.
  void forward(const Pass& pass, const float* x, float* y) const {
    table_->layer_norm(x, pass.rows(), stride(), features(), nn::LayerNorm::eps, weight_.value.data(),
                       bias_.value.data(), y, stride());
  }

  /// x and dy as there -> dx.
  void backward(const Pass& pass, const float* x, const float* dy, float* dx) const {
    table_->layer_norm_backward({.x = x,
                                 .dy = dy,
                                 .weight = weight_.value.data(),
                                 .dx = dx,
                                 .statistics = statistics_.data + 2 * pass.first_row(),
                                 .rows = pass.rows(),
                                 .stride = stride(),
                                 .columns = features(),
                                 .eps = nn::LayerNorm::eps});
  }

  /// This member's share, over all rows of a batch.
  void weight_gradient(const Team& team, const float* x, const float* dy, std::size_t rows) const {
    const Range mine = team.share(features(), ops::channel_padding);
    if (mine.size() == 0) return;
    table_->layer_norm_weight_gradient({.x = x + mine.begin,
                                        .dy = dy + mine.begin,
                                        .statistics = statistics_.data,
                                        .dweight = weight_.gradient.data() + mine.begin,
                                        .dbias = bias_.gradient.data() + mine.begin,
                                        .rows = rows,
                                        .stride = stride(),
                                        .columns = mine.size()});
  }

 private:
  const kernels::KernelTable* table_;
  Parameter weight_, bias_;
  Slot statistics_;
};

}  // namespace pantanal::autograd
