// HeadLayer: the last 1x1 convolution and the mean over positions that is the embedding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "pantanal/core/packed_arena.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/perch/layer.hpp"
#include "pantanal/perch/model.hpp"
#include "pantanal/perch/pointwise_weights.hpp"

namespace pantanal::perch {

/// spatial[p] = act(W·x[p] + b); embedding = mean of spatial over the positions.
class HeadLayer {
 public:
  HeadLayer(const kernels::KernelTable& table, const Model& model, Extent input,
            Precision precision = Precision::fp32, PackedArena* arena = nullptr)
      : table_(&table), head_(model.architecture.head), input_(input) {
    const Tensor& weight = model.tensors.find("head.weight")->second;
    weights_ = PointwiseWeights(table, weight, model.values("head.bias"), head_.channels,
                                weight.size() / head_.channels, precision, arena);
  }

  std::size_t positions() const { return input_.positions(); }
  std::size_t channels() const { return head_.channels; }
  std::size_t stride() const { return pixel_stride(head_.channels); }
  std::size_t output_size() const { return positions() * stride(); }

  /// Words of run()'s scratch.
  std::size_t rounded_size() const {
    return positions() * weights_.rounded_words(pixel_stride(weights_.depth()));
  }

  /// input [positions, pixel_stride(in)] -> spatial [positions, stride()]; `rounded`: rounded_size() words
  /// that the team shares. Ends with a wait.
  void run(const Team& team, const float* input, float* spatial, std::uint32_t* rounded = nullptr) const {
    const std::size_t input_stride = pixel_stride(weights_.depth());
    const Range rows = team.share(positions(), 8);
    const float* const mine = input + rows.begin * input_stride;
    const kernels::PointwiseArgs args{.input = mine,
                                      .input_stride = input_stride,
                                      .output = spatial + rows.begin * stride(),
                                      .output_stride = stride(),
                                      .rows = rows.size(),
                                      .padded_columns = weights_.padded_columns(),
                                      .activation = to_kernel(head_.activation)};
    if (weights_.rounds_input()) {
      const std::size_t words = weights_.rounded_words(input_stride);
      rounded += rows.begin * words;
      weights_.round(mine, rows.size(), input_stride, input_stride, nullptr, rounded, words);
      weights_.run(args, rounded, words);
    } else {
      weights_.run(args);
    }
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
  PointwiseWeights weights_;
};

}  // namespace pantanal::perch
