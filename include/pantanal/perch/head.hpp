// HeadLayer: the last 1x1 convolution and the mean over positions that is the embedding.
#pragma once

#include <cstddef>
#include <span>

#include "pantanal/core/parallel.hpp"
#include "pantanal/perch/layer.hpp"
#include "pantanal/perch/model.hpp"

namespace pantanal::perch {

/// spatial[p] = act(W·x[p] + b); embedding = mean of spatial over the positions.
class HeadLayer {
 public:
  HeadLayer(const kernels::KernelTable& table, const Model& model, Extent input)
      : table_(&table), head_(model.architecture.head), input_(input) {
    const std::span<const float> weight = model.values("head.weight");
    weights_ = ops::pack_matrix(table, weight, model.values("head.bias"), head_.channels,
                                weight.size() / head_.channels);
  }

  std::size_t positions() const { return input_.positions(); }
  std::size_t channels() const { return head_.channels; }
  std::size_t stride() const { return pixel_stride(head_.channels); }
  std::size_t output_size() const { return positions() * stride(); }

  /// input [positions, pixel_stride(in)] -> spatial [positions, stride()]. Ends with a wait.
  void run(const Team& team, const float* input, float* spatial) const {
    const std::size_t input_stride = pixel_stride(weights_.depth);
    const Range rows = team.share(positions(), 8);
    table_->pointwise({.input = input + rows.begin * input_stride,
                       .input_stride = input_stride,
                       .weights = weights_.weights.data(),
                       .bias = weights_.bias.data(),
                       .output = spatial + rows.begin * stride(),
                       .output_stride = stride(),
                       .rows = rows.size(),
                       .depth = weights_.depth,
                       .padded_columns = weights_.padded_columns,
                       .activation = to_kernel(head_.activation)});
    team.wait();
  }

  /// embedding [channels] of one window's spatial output. Called by one thread.
  void embed(const float* spatial, float* embedding) const {
    table_->mean_rows(spatial, positions(), stride(), head_.channels, static_cast<float>(positions()),
                      embedding);
  }

 private:
  const kernels::KernelTable* table_;
  Head head_;
  Extent input_;
  ops::PackedMatrix weights_;
};

}  // namespace pantanal::perch
