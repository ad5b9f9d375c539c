// Spelling: the choices an exporter makes when it writes a Perch model as a graph.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "graph_builder.hpp"
#include "pantanal/perch/model.hpp"

namespace pantanal::convert::fixtures {

/// What exporters write differently. A function adds nodes and returns the name of what they make. The
/// defaults are as in the released file; images are NHWC, between Transposes around every convolution, unless
/// `plain`: then NCHW.
struct Spelling {
  using Unary = std::function<std::string(GraphBuilder&, const std::string& x)>;
  using Binary = std::function<std::string(GraphBuilder&, const std::string& a, const std::string& b)>;
  enum class BatchNorm { mul_add, sub_div, node, folded };
  enum class Pads { attribute, pad_node, zeros_joined, automatic };
  enum class Transform { dft, pairs, halves, split, folded_conv };

  bool plain = false;
  BatchNorm batch_norm = BatchNorm::mul_add;
  Pads pads = Pads::attribute;
  Transform transform = Transform::dft;
  bool gather_frames = false;

  Unary sigmoid = [](GraphBuilder& g, const std::string& x) {
    return g.add("Div", {g.scalar(1), g.add("Add", {g.scalar(1), g.add("Exp", {g.add("Neg", {x})})})});
  };
  Unary swish = nullptr;  ///< x · sigmoid(x) if null
  Unary relu = [](GraphBuilder& g, const std::string& x) { return g.add("Max", {x, g.scalar(0)}); };
  /// image, gate -> their product
  Binary gate = [](GraphBuilder& g, const std::string& image, const std::string& opened) {
    return g.add("Mul", {image, opened});
  };
  /// Between layers: the identity, in whatever way.
  Unary nothing = [](GraphBuilder&, const std::string& x) { return x; };
  /// Means over axes of which there are `count` elements; dimensions go.
  std::function<std::string(GraphBuilder&, const std::string& x, Integers axes, std::int64_t count)> mean =
      [](GraphBuilder& g, const std::string& x, Integers axes, std::int64_t count) {
        return g.add("Div",
                     {g.reduce("ReduceSum", x, std::move(axes), false), g.scalar(static_cast<float>(count))});
      };
  /// x [n, in] · weight [out, in] + bias [out]
  std::function<std::string(GraphBuilder&, const std::string& x, const perch::Tensor& weight,
                            const perch::Tensor& bias)>
      dense = nullptr;
  /// mel, floor, scale -> spectrogram
  std::function<std::string(GraphBuilder&, const std::string& mel, float floor, float scale)> log =
      [](GraphBuilder& g, const std::string& mel, float floor, float scale) {
        return g.add("Mul", {g.add("Log", {g.add("Max", {mel, g.scalar(floor)})}), g.scalar(scale)});
      };
  /// x [n, positions, channels], eps -> x / (norm + eps)
  std::function<std::string(GraphBuilder&, const std::string& x, float eps)> unit =
      [](GraphBuilder& g, const std::string& x, float eps) {
        return g.add("Div", {x, g.add("Add", {g.reduce("ReduceL2", x, {-1}, true), g.scalar(eps)})});
      };
  /// u [n, positions, channels], prototypes [classes, prototypes, channels] -> similarities [n, classes,
  /// prototypes]
  std::function<std::string(GraphBuilder&, const std::string& u, const perch::Tensor& prototypes)> best =
      nullptr;
  bool raw_scale = true;  ///< max(0, k) in the graph
};

/// [rows, columns] turned round.
inline std::vector<float> transposed(std::span<const float> values, std::size_t rows, std::size_t columns) {
  std::vector<float> turned(values.size());
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c) turned[c * rows + r] = values[r * columns + c];
  return turned;
}

/// x · weightᵀ + bias as MatMul and Add.
inline std::string matmul_dense(GraphBuilder& g, const std::string& x, const perch::Tensor& weight,
                                const perch::Tensor& bias) {
  const auto out = static_cast<std::size_t>(weight.shape[0]), in = static_cast<std::size_t>(weight.shape[1]);
  const std::string matrix = g.floats({weight.shape[1], weight.shape[0]}, transposed(weight.values, out, in));
  return g.add("Add", {g.add("MatMul", {x, matrix}),
                       g.floats({1, weight.shape[0]}, {bias.values.begin(), bias.values.end()})});
}

/// The product with all prototypes, [channels, classes · prototypes], then the maximum over positions.
inline std::string matmul_best(GraphBuilder& g, const std::string& u, const perch::Tensor& prototypes) {
  const std::int64_t rows = prototypes.shape[0] * prototypes.shape[1], channels = prototypes.shape[2];
  const std::string matrix = g.floats(
      {channels, rows},
      transposed(prototypes.values, static_cast<std::size_t>(rows), static_cast<std::size_t>(channels)));
  const std::string best = g.reduce("ReduceMax", g.add("MatMul", {u, matrix}), {1}, false);
  return g.reshape(best, {-1, prototypes.shape[0], prototypes.shape[1]});
}

}  // namespace pantanal::convert::fixtures
