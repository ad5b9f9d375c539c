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
#include "pantanal/ml/transpose.hpp"

namespace pantanal::ml {

/// A batch in place: its rows are in activations.layers[0], each standing for `weights[r]` samples.
template <Real T>
struct MlpBatch {
  std::vector<const std::uint8_t*> targets;  ///< per row, one entry per output
  std::vector<T> weights;
  T total_weight = 0;
};

/// Back-propagation with the optimizer's step fused into it: each stretch of a gradient is consumed while it
/// is in the cache, right after the layer has handed its delta down. Where units are off, so are their terms:
/// of the products along a ReLU's outputs or their deltas about half.
template <Real T>
class MlpBackward {
 public:
  MlpBackward(const MlpNetwork<T>& network, std::size_t rows) : activations_(network.make_activations(rows)) {
    std::size_t widest = 0, highest = 0;
    for (std::size_t i = 0; i < network.layers().size(); ++i) {
      const auto& layer = network.layers()[i];
      deltas_.emplace_back(activations_.capacity * activations_.strides[i + 1]);
      delta_sums_.emplace_back(layer.padded);
      widest = std::max({widest, layer.fan_in * stretch * network.panel(), layer.padded});
      highest = std::max(highest, i == 0 ? 0 : layer.fan_out);
    }
    gradient_ = AlignedBuffer<T>(widest);
    transposed_stride_ = stretch * network.panel() + cache_line / sizeof(T);
    transposed_ = AlignedBuffer<T>(highest * transposed_stride_);
    turned_ = AlignedBuffer<T>(stretch * network.panel() *
                               *std::max_element(activations_.strides.begin(), activations_.strides.end()));
  }

  MlpActivations<T>& activations() { return activations_; }

  /// The batch's mean loss, penalty included, from before the step that this makes.
  double step(MlpNetwork<T>& network, MlpOptimizer<T>& optimizer, const MlpBatch<T>& batch, T alpha) {
    const std::size_t rows = batch.weights.size(), last = network.layers().size() - 1;
    network.forward(activations_, rows);
    for (ActiveUnits& active : activations_.active) active.transpose();
    const double loss = output_delta(network, batch);
    sum_deltas(network, last, rows, nullptr);
    optimizer.begin_step();
    double squares = 0;
    for (std::size_t i = last + 1; i-- > 0;) {
      if (i > 0) propagate(network, i, rows);
      squares += update(network, optimizer, i, rows, alpha, T{1} / batch.total_weight);
    }
    return (loss + 0.5 * static_cast<double>(alpha) * squares) / static_cast<double>(batch.total_weight);
  }

 private:
  static constexpr std::size_t stretch = 4;  ///< panels of a gradient at a time

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
    const std::size_t padded_rows = ops::round_up(rows, 4), stride = activations_.strides[i];
    const ActiveUnits& active = activations_.active[i + 1];
    for (std::size_t first = 0; first < layer.fan_in; first += stretch * network.panel()) {
      const std::size_t columns = std::min(stretch * network.panel(), layer.fan_in - first);
      transpose_weights(network, i, first, columns);
      gemm<T>(network.table(), {.a = deltas_[i].data(),
                                .a_row_stride = activations_.strides[i + 1],
                                .b = transposed_.data(),
                                .b_depth_stride = transposed_stride_,
                                .b_panel_stride = network.panel(),
                                .c = deltas_[i - 1].data() + first,
                                .c_row_stride = stride,
                                .c_panel_stride = network.panel(),
                                .rows = padded_rows,
                                .depth = layer.fan_out,
                                .columns = columns,
                                .mask = network.narrow(columns) ? nullptr : active.by_row(),
                                .mask_stride = active.row_stride()});
    }
    const T* values = activations_.layers[i].data();
    const bool relu = network.activation() == MlpActivation::relu;
    for (std::size_t r = 0; r < rows && !relu; ++r)
      derive(network.activation(), values + r * stride, deltas_[i - 1].data() + r * stride, layer.fan_in);
    sum_deltas(network, i - 1, rows, relu ? values : nullptr);
  }

  /// The bias' gradient of layer i; first, if `values` are not null, its deltas times a ReLU's derivative.
  void sum_deltas(const MlpNetwork<T>& network, std::size_t i, std::size_t rows, const T* values) {
    rectify<T>(network.table(), {.value = values,
                                 .delta = deltas_[i].data(),
                                 .stride = activations_.strides[i + 1],
                                 .rows = rows,
                                 .columns = network.layers()[i].fan_out,
                                 .sums = delta_sums_[i].data()});
  }

  /// delta *= activation', in terms of the activation's value.
  static void derive(MlpActivation activation, const T* value, T* delta, std::size_t count) {
    if (activation == MlpActivation::tanh)
      for (std::size_t j = 0; j < count; ++j) delta[j] *= T{1} - value[j] * value[j];
    if (activation == MlpActivation::logistic)
      for (std::size_t j = 0; j < count; ++j) delta[j] *= value[j] * (T{1} - value[j]);
  }

  /// Puts layer i's weights from inputs first … on, turned, into transposed_: outputs' rows, zeros beyond.
  void transpose_weights(const MlpNetwork<T>& network, std::size_t i, std::size_t first,
                         std::size_t columns) {
    const auto& layer = network.layers()[i];
    const std::size_t panel = network.panel();
    for (std::size_t p = 0; p < layer.fan_out; p += panel)
      transpose(network.parameters().data() + layer.weights + p * layer.fan_in + first * panel, panel,
                columns, std::min(panel, layer.fan_out - p), transposed_.data() + p * transposed_stride_,
                transposed_stride_);
    if (const std::size_t padded = ops::round_up(columns, panel); padded > columns)
      for (std::size_t r = 0; r < layer.fan_out; ++r)
        std::fill_n(transposed_.data() + r * transposed_stride_ + columns, padded - columns, T{0});
  }

  /// Updates layer i; returns the sum of squares of its weights from before.
  double update(MlpNetwork<T>& network, MlpOptimizer<T>& optimizer, std::size_t i, std::size_t rows, T alpha,
                T scale) {
    const auto& layer = network.layers()[i];
    const std::size_t step = stretch * network.panel();
    T* parameters = network.parameters().data();
    double squares = 0;
    for (std::size_t first = 0; first < layer.fan_out; first += step) {
      const std::size_t columns = std::min(step, layer.fan_out - first);
      const std::size_t offset = layer.weights + first * layer.fan_in,
                        size = layer.fan_in * ops::round_up(columns, network.panel());
      if (columns % network.panel() != 0) std::fill_n(gradient_.data(), size, T{0});
      if (network.narrow(columns) || (i == 0 && activations_.active[1].by_unit()))
        turned_gradient(network, i, first, columns, rows);
      else
        gradient(network, i, first, columns, rows);
      squares += optimizer.update(parameters + offset, offset, size, gradient_.data(), alpha, scale);
    }
    optimizer.update(parameters + layer.bias, layer.bias, layer.padded, delta_sums_[i].data(), T{0}, scale);
    return squares;
  }

  /// Layer i's gradient, inputᵀ·delta, for outputs first … first + columns - 1, in panels.
  void gradient(const MlpNetwork<T>& network, std::size_t i, std::size_t first, std::size_t columns,
                std::size_t rows) {
    const std::size_t panel = network.panel(), fan_in = network.layers()[i].fan_in;
    const ActiveUnits& active = activations_.active[i];
    gemm<T>(network.table(), {.a = activations_.layers[i].data(),
                              .a_row_stride = 1,
                              .a_depth_stride = activations_.strides[i],
                              .b = deltas_[i].data() + first,
                              .b_depth_stride = activations_.strides[i + 1],
                              .b_panel_stride = panel,
                              .c = gradient_.data(),
                              .c_row_stride = panel,
                              .c_panel_stride = fan_in * panel,
                              .rows = fan_in,
                              .depth = rows,
                              .columns = columns,
                              .mask = active.by_unit(),
                              .mask_stride = active.unit_stride()});
  }

  /// The same as deltaᵀ·input, then turned: for few outputs, and for the first layer, whose input has no mask
  /// but whose delta has.
  void turned_gradient(const MlpNetwork<T>& network, std::size_t i, std::size_t first, std::size_t columns,
                       std::size_t rows) {
    const std::size_t panel = network.panel(), fan_in = network.layers()[i].fan_in;
    const std::size_t stride = activations_.strides[i];
    const ActiveUnits& active = activations_.active[i + 1];
    gemm<T>(network.table(),
            {.a = deltas_[i].data() + first,
             .a_row_stride = 1,
             .a_depth_stride = activations_.strides[i + 1],
             .b = activations_.layers[i].data(),
             .b_depth_stride = stride,
             .b_panel_stride = panel,
             .c = turned_.data(),
             .c_row_stride = stride,
             .c_panel_stride = panel,
             .rows = columns,
             .depth = rows,
             .columns = fan_in,
             .mask = active.by_unit() ? active.by_unit() + first * active.unit_stride() : nullptr,
             .mask_stride = active.unit_stride()});
    for (std::size_t p = 0; p < columns; p += panel)
      transpose(turned_.data() + p * stride, stride, std::min(panel, columns - p), fan_in,
                gradient_.data() + p * fan_in, panel);
  }

  MlpActivations<T> activations_;
  std::vector<AlignedBuffer<T>> deltas_, delta_sums_;
  AlignedBuffer<T> gradient_, turned_, transposed_;
  std::size_t transposed_stride_ = 0;
};

}  // namespace pantanal::ml
