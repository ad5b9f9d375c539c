// MlpBackward: one batch of training, from rows to updated parameters.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/ml/gemm.hpp"
#include "pantanal/ml/matrix.hpp"
#include "pantanal/ml/mlp_network.hpp"
#include "pantanal/ml/mlp_optimizer.hpp"

namespace pantanal::ml {

/// A batch in place: its rows are in activations.layers[0], each standing for `weights[r]` samples.
template <Real T>
struct MlpBatch {
  std::vector<const std::uint8_t*> targets;  ///< per row, one entry per output
  std::vector<T> weights;
  T total_weight = 0;
};

/// Back-propagation with the optimizer's step fused into it: each panel of a gradient is consumed while it is
/// in the cache, right after the layer has handed its delta down.
template <Real T>
class MlpBackward {
 public:
  MlpBackward(const MlpNetwork<T>& network, std::size_t rows) : activations_(network.make_activations(rows)) {
    std::size_t widest = 0;
    for (std::size_t i = 0; i < network.layers().size(); ++i) {
      const auto& layer = network.layers()[i];
      deltas_.emplace_back(activations_.capacity * activations_.strides[i + 1]);
      transposed_.emplace_back(i == 0 ? 0 : layer.fan_out * ops::round_up(layer.fan_in, network.panel()));
      widest = std::max({widest, layer.fan_in * network.panel(), layer.padded});
    }
    gradient_ = AlignedBuffer<T>(widest);
  }

  MlpActivations<T>& activations() { return activations_; }

  /// The batch's mean loss, penalty included, from before the step that this makes.
  double step(MlpNetwork<T>& network, MlpOptimizer<T>& optimizer, const MlpBatch<T>& batch, T alpha) {
    const std::size_t rows = batch.weights.size(), last = network.layers().size() - 1;
    network.forward(activations_, rows);
    const double loss = output_delta(network, batch);
    optimizer.begin_step();
    double squares = 0;
    for (std::size_t i = last + 1; i-- > 0;) {
      if (i > 0) propagate(network, i, rows);
      squares += update(network, optimizer, i, rows, alpha, T{1} / batch.total_weight);
    }
    return (loss + 0.5 * static_cast<double>(alpha) * squares) / static_cast<double>(batch.total_weight);
  }

 private:
  /// Delta of the outputs, (p - y)·weight, and the weighted sum of log-losses.
  double output_delta(const MlpNetwork<T>& network, const MlpBatch<T>& batch) {
    const std::size_t stride = activations_.strides.back(), outputs = network.layers().back().fan_out;
    const std::size_t rows = batch.weights.size(), padded_rows = ops::round_up(rows, 4);
    constexpr T eps = std::numeric_limits<T>::epsilon();
    double loss = 0;
    for (std::size_t r = 0; r < padded_rows; ++r) {
      const T* p = activations_.layers.back().data() + r * stride;
      T* delta = deltas_.back().data() + r * stride;
      for (std::size_t j = 0; j < outputs; ++j) {
        if (r >= rows) {
          delta[j] = 0;
          continue;
        }
        const bool y = batch.targets[r][j] != 0;
        const T clipped = std::clamp(p[j], eps, T{1} - eps);
        if (y || network.output() == MlpOutput::logistic)
          loss -= static_cast<double>(batch.weights[r]) *
                  std::log(static_cast<double>(y ? clipped : T{1} - clipped));
        delta[j] = (p[j] - T(y)) * batch.weights[r];
      }
    }
    return loss;
  }

  /// Delta of layer i's input: delta·Wᵀ times the activation's derivative.
  void propagate(const MlpNetwork<T>& network, std::size_t i, std::size_t rows) {
    const auto& layer = network.layers()[i];
    transpose_weights(network, i);
    const std::size_t padded_rows = ops::round_up(rows, 4), stride = activations_.strides[i];
    gemm<T>(network.table(), {.a = deltas_[i].data(),
                              .a_row_stride = activations_.strides[i + 1],
                              .b = transposed_[i].data(),
                              .b_depth_stride = network.panel(),
                              .b_panel_stride = layer.fan_out * network.panel(),
                              .c = deltas_[i - 1].data(),
                              .c_row_stride = stride,
                              .c_panel_stride = network.panel(),
                              .rows = padded_rows,
                              .depth = layer.fan_out,
                              .columns = layer.fan_in});
    for (std::size_t r = 0; r < rows; ++r)
      derive(network.activation(), activations_.layers[i].data() + r * stride,
             deltas_[i - 1].data() + r * stride, layer.fan_in);
  }

  /// delta *= activation', in terms of the activation's value.
  static void derive(MlpActivation activation, const T* value, T* delta, std::size_t count) {
    if (activation == MlpActivation::relu)
      for (std::size_t j = 0; j < count; ++j) delta[j] = value[j] > 0 ? delta[j] : T{0};
    if (activation == MlpActivation::tanh)
      for (std::size_t j = 0; j < count; ++j) delta[j] *= T{1} - value[j] * value[j];
    if (activation == MlpActivation::logistic)
      for (std::size_t j = 0; j < count; ++j) delta[j] *= value[j] * (T{1} - value[j]);
  }

  void transpose_weights(const MlpNetwork<T>& network, std::size_t i) {
    const auto& layer = network.layers()[i];
    const std::size_t panel = network.panel();
    for (std::size_t q = 0; q < layer.fan_in; q += panel)
      for (std::size_t p = 0; p < layer.fan_out; p += panel) {
        const std::size_t height = std::min(panel, layer.fan_in - q),
                          width = std::min(panel, layer.fan_out - p);
        const T* from = network.parameters().data() + layer.weights + p * layer.fan_in + q * panel;
        T* to = transposed_[i].data() + q * layer.fan_out + p * panel;
        for (std::size_t j = 0; j < width; ++j)
          for (std::size_t k = 0; k < height; ++k) to[j * panel + k] = from[k * panel + j];
      }
  }

  /// Updates layer i; returns the sum of squares of its weights from before.
  double update(MlpNetwork<T>& network, MlpOptimizer<T>& optimizer, std::size_t i, std::size_t rows, T alpha,
                T scale) {
    const auto& layer = network.layers()[i];
    const std::size_t panel = network.panel(), stride = activations_.strides[i + 1],
                      size = layer.fan_in * panel;
    T* parameters = network.parameters().data();
    double squares = 0;
    for (std::size_t p = 0; p < layer.fan_out; p += panel) {
      const std::size_t columns = std::min(panel, layer.fan_out - p);
      if (columns <= panel / 2) std::fill_n(gradient_.data(), size, T{0});
      gemm<T>(network.table(), {.a = activations_.layers[i].data(),
                                .a_row_stride = 1,
                                .a_depth_stride = activations_.strides[i],
                                .b = deltas_[i].data() + p,
                                .b_depth_stride = stride,
                                .c = gradient_.data(),
                                .c_row_stride = panel,
                                .rows = layer.fan_in,
                                .depth = rows,
                                .columns = columns});
      const std::size_t offset = layer.weights + p * layer.fan_in;
      squares += optimizer.update(parameters + offset, offset, size, gradient_.data(), alpha, scale);
    }
    std::fill_n(gradient_.data(), layer.padded, T{0});
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t j = 0; j < layer.fan_out; ++j) gradient_[j] += deltas_[i][r * stride + j];
    optimizer.update(parameters + layer.bias, layer.bias, layer.padded, gradient_.data(), T{0}, scale);
    return squares;
  }

  MlpActivations<T> activations_;
  std::vector<AlignedBuffer<T>> deltas_, transposed_;
  AlignedBuffer<T> gradient_;
};

}  // namespace pantanal::ml
