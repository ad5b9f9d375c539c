// MlpNetwork: a perceptron's parameters where the kernels want them, and its way forwards.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/ml/active_units.hpp"
#include "pantanal/ml/gemm.hpp"
#include "pantanal/ml/matrix.hpp"
#include "pantanal/ml/mlp_options.hpp"
#include "pantanal/ml/random_state.hpp"
#include "pantanal/ml/transpose.hpp"
#include "pantanal/ops/packed_matrix.hpp"

namespace pantanal::ml {

enum class MlpOutput { logistic, softmax };

/// Rows of activations, one buffer per layer, the input first. Strides are a cache line longer than the
/// padded rows, so that rows do not fall onto each other in the cache.
template <Real T>
struct MlpActivations {
  std::vector<AlignedBuffer<T>> layers;
  std::vector<std::size_t> strides;
  std::vector<ActiveUnits> active;  ///< per layer; found by forward() for a ReLU's outputs
  std::size_t capacity = 0;         ///< rows, a multiple of 4
  AlignedBuffer<T> turned;          ///< for few outputs: the last hidden layer and the outputs, by unit
  std::size_t turned_stride = 0;
};

/// Layers x -> act(x·W + b), W [fan_in, fan_out] in the kernels' panels, all weights and then all biases in
/// one buffer, so that an optimizer's step is one pass. The padding is zero and stays it.
template <Real T>
class MlpNetwork {
 public:
  struct Layer {
    std::size_t fan_in = 0, fan_out = 0, padded = 0;  ///< padded: fan_out in whole panels
    std::size_t weights = 0, bias = 0;                ///< where they start in parameters()
  };

  MlpNetwork() = default;
  /// sizes: of the input, the hidden layers and the output.
  MlpNetwork(const kernels::KernelTable& table, const std::vector<std::size_t>& sizes,
             MlpActivation activation, MlpOutput output)
      : table_(&table), activation_(activation), output_(output), panel_(table.gemm_panel<T>()) {
    std::size_t count = 0;
    for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
      layers_.push_back({sizes[i], sizes[i + 1], ops::round_up(sizes[i + 1], panel_), count, 0});
      count += sizes[i] * layers_.back().padded;
    }
    for (Layer& layer : layers_) {
      layer.bias = count;
      count += layer.padded;
    }
    parameters_ = AlignedBuffer<T>(count);
  }

  const kernels::KernelTable& table() const { return *table_; }
  const std::vector<Layer>& layers() const { return layers_; }
  std::size_t panel() const { return panel_; }
  /// Of the input, the hidden layers and the output.
  std::vector<std::size_t> sizes() const {
    std::vector<std::size_t> all = {layers_.empty() ? 0 : layers_[0].fan_in};
    for (const Layer& layer : layers_) all.push_back(layer.fan_out);
    return all;
  }
  MlpActivation activation() const { return activation_; }
  MlpOutput output() const { return output_; }
  AlignedBuffer<T>& parameters() { return parameters_; }
  const AlignedBuffer<T>& parameters() const { return parameters_; }

  /// Glorot's uniform initialisation, in scikit-learn's order of draws.
  /// Source: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward networks".
  void initialize(RandomState& random) {
    for (const Layer& layer : layers_) {
      const double factor = activation_ == MlpActivation::logistic ? 2.0 : 6.0;
      const double bound = std::sqrt(factor / static_cast<double>(layer.fan_in + layer.fan_out));
      for (std::size_t k = 0; k < layer.fan_in; ++k)
        for (std::size_t j = 0; j < layer.fan_out; ++j)
          parameters_[weight_index(layer, k, j)] = static_cast<T>(random.uniform(-bound, bound));
      for (std::size_t j = 0; j < layer.fan_out; ++j)
        parameters_[layer.bias + j] = static_cast<T>(random.uniform(-bound, bound));
    }
  }

  /// Row-major copies, as coefs_[i] and intercepts_[i].
  Matrix<T> coefs(std::size_t i) const {
    const Layer& layer = layers_[i];
    Matrix<T> w(layer.fan_in, layer.fan_out);
    for (std::size_t j = 0; j < layer.fan_out; j += panel_)
      for (std::size_t k = 0; k < layer.fan_in; ++k)
        std::copy_n(parameters_.data() + weight_index(layer, k, j), std::min(panel_, layer.fan_out - j),
                    w.row(k) + j);
    return w;
  }
  std::vector<T> intercepts(std::size_t i) const {
    const T* bias = parameters_.data() + layers_[i].bias;
    return {bias, bias + layers_[i].fan_out};
  }
  void set_layer(std::size_t i, std::span<const T> coefs, std::span<const T> intercepts) {
    const Layer& layer = layers_[i];
    for (std::size_t k = 0; k < layer.fan_in; ++k)
      for (std::size_t j = 0; j < layer.fan_out; ++j)
        parameters_[weight_index(layer, k, j)] = coefs[k * layer.fan_out + j];
    std::copy(intercepts.begin(), intercepts.end(), parameters_.data() + layer.bias);
  }

  /// Room for `rows` rows through every layer.
  MlpActivations<T> make_activations(std::size_t rows) const {
    MlpActivations<T> a;
    a.capacity = ops::round_up(std::max<std::size_t>(rows, 1), 4);
    for (std::size_t i = 0; i <= layers_.size(); ++i) {
      const std::size_t width = i == 0 ? ops::round_up(layers_[0].fan_in, panel_) : layers_[i - 1].padded;
      a.strides.push_back(width + cache_line / sizeof(T));
      a.layers.emplace_back(a.capacity * a.strides.back());
      const bool rectified = i > 0 && i < layers_.size() && activation_ == MlpActivation::relu;
      a.active.push_back(rectified ? ActiveUnits(a.capacity, layers_[i - 1].fan_out) : ActiveUnits());
    }
    a.turned_stride = ops::round_up(a.capacity, panel_) + cache_line / sizeof(T);
    if (narrow(layers_.back().fan_out))
      a.turned = AlignedBuffer<T>((layers_.back().fan_in + layers_.back().fan_out) * a.turned_stride);
    return a;
  }

  /// Runs the first `rows` rows, rounded up to 4, of a.layers[0] through the network.
  void forward(MlpActivations<T>& a, std::size_t rows) const {
    const std::size_t padded_rows = ops::round_up(rows, 4);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i];
      const bool hidden = i + 1 < layers_.size(), rectified = hidden && activation_ == MlpActivation::relu;
      if (!hidden && narrow(layer.fan_out))
        narrow_outputs(a, padded_rows);
      else
        gemm<T>(*table_, {.a = a.layers[i].data(),
                          .a_row_stride = a.strides[i],
                          .b = parameters_.data() + layer.weights,
                          .b_depth_stride = panel_,
                          .b_panel_stride = layer.fan_in * panel_,
                          .bias = parameters_.data() + layer.bias,
                          .c = a.layers[i + 1].data(),
                          .c_row_stride = a.strides[i + 1],
                          .c_panel_stride = panel_,
                          .rows = padded_rows,
                          .depth = layer.fan_in,
                          .columns = layer.fan_out,
                          .relu = rectified,
                          .mask = narrow(layer.fan_out) ? nullptr : a.active[i].by_row(),
                          .mask_stride = a.active[i].row_stride()});
      if (rectified) {
        a.active[i + 1].find(*table_, a.layers[i + 1].data(), a.strides[i + 1], padded_rows);
        continue;
      }
      for (std::size_t r = 0; r < padded_rows; ++r) {
        const std::span<T> row(a.layers[i + 1].data() + r * a.strides[i + 1], layer.fan_out);
        if (hidden)
          activate(row);
        else
          output_activate(row);
      }
    }
  }

  /// Whether a product has too few columns for a mask to pay.
  bool narrow(std::size_t columns) const { return columns <= panel_ / 2; }

  /// The outputs [rows, outputs] of X, some rows at a time.
  Matrix<T> predict(MatrixView<T> x) const {
    constexpr std::size_t block = 240;
    MlpActivations<T> a = make_activations(std::min(block, x.rows));
    Matrix<T> y(x.rows, layers_.back().fan_out);
    for (std::size_t first = 0; first < x.rows; first += block) {
      const std::size_t rows = std::min(block, x.rows - first);
      for (std::size_t r = 0; r < rows; ++r)
        std::copy_n(x.row(first + r), x.columns, a.layers[0].data() + r * a.strides[0]);
      forward(a, rows);
      for (std::size_t r = 0; r < rows; ++r)
        std::copy_n(a.layers.back().data() + r * a.strides.back(), y.columns, y.row(first + r));
    }
    return y;
  }

 private:
  static T logistic(T x) { return T{1} / (T{1} + std::exp(-x)); }

  std::size_t weight_index(const Layer& layer, std::size_t k, std::size_t j) const {
    return layer.weights + (j / panel_ * layer.fan_in + k) * panel_ + j % panel_;
  }

  /// The last layer where its outputs are too few for a kernel's lanes: rows take their place. Every sum is
  /// over the same terms in the same order.
  void narrow_outputs(MlpActivations<T>& a, std::size_t rows) const {
    const Layer& layer = layers_.back();
    const std::size_t last = layers_.size(), stride = a.turned_stride;
    T *input = a.turned.data(), *outputs = input + layer.fan_in * stride;
    transpose(a.layers[last - 1].data(), a.strides[last - 1], rows, layer.fan_in, input, stride);
    for (std::size_t j = 0; j < layer.fan_out; ++j)
      std::fill_n(outputs + j * stride, stride, parameters_[layer.bias + j]);
    gemm<T>(*table_, {.a = parameters_.data() + layer.weights,
                      .a_row_stride = 1,
                      .a_depth_stride = panel_,
                      .b = input,
                      .b_depth_stride = stride,
                      .b_panel_stride = panel_,
                      .c = outputs,
                      .c_row_stride = stride,
                      .c_panel_stride = panel_,
                      .rows = layer.fan_out,
                      .depth = layer.fan_in,
                      .columns = rows,
                      .accumulate = true});
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t j = 0; j < layer.fan_out; ++j)
        a.layers[last][r * a.strides[last] + j] = outputs[j * stride + r];
  }

  void activate(std::span<T> row) const {
    if (activation_ == MlpActivation::tanh)
      for (T& x : row) x = std::tanh(x);
    if (activation_ == MlpActivation::logistic)
      for (T& x : row) x = logistic(x);
  }

  void output_activate(std::span<T> row) const {
    if (output_ == MlpOutput::logistic) {
      for (T& x : row) x = logistic(x);
      return;
    }
    const T largest = *std::max_element(row.begin(), row.end());
    T sum = 0;
    for (T& x : row) sum += x = std::exp(x - largest);
    for (T& x : row) x /= sum;
  }

  const kernels::KernelTable* table_ = nullptr;
  MlpActivation activation_ = MlpActivation::relu;
  MlpOutput output_ = MlpOutput::logistic;
  std::size_t panel_ = 0;
  std::vector<Layer> layers_;
  AlignedBuffer<T> parameters_;
};

}  // namespace pantanal::ml
