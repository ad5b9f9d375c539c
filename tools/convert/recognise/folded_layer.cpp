#include "recognise/folded_layer.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "pantanal/core/finite.hpp"
#include "recognise/axis_values.hpp"

namespace pantanal::convert {
namespace {

/// What a chain of elementwise nodes makes of a linear layer's output: scale · x + shift, per channel.
struct Affine {
  std::vector<double> scale, shift;
  LayerParts parts;
};

/// The operand of an Add, Sub, Mul or Div that is no constant, if there is exactly one.
const Fact* only_value(const Fact& fact) {
  if (fact.inputs.size() != 2 || !fact.inputs[0] || !fact.inputs[1]) return nullptr;
  if (fact.inputs[0]->known.has_value() == fact.inputs[1]->known.has_value()) return nullptr;
  return fact.inputs[0]->known ? fact.inputs[1] : fact.inputs[0];
}

/// The value that a scale or shift is applied to, or null if `fact` is none.
const Fact* affine_input(const Fact& fact) {
  if (fact.is("Neg") || fact.is("BatchNormalization")) return fact.inputs.empty() ? nullptr : fact.inputs[0];
  if (fact.is("Add") || fact.is("Sub") || fact.is("Mul")) return only_value(fact);
  return fact.is("Div") && only_value(fact) == fact.inputs[0] ? only_value(fact) : nullptr;
}

/// Puts the name of a node in front of those that follow it.
void prepend_name(Affine& affine, const std::string& name) {
  std::string& order = affine.parts.order;
  order = order.empty() ? name : name + ", " + order;
}

/// Puts x -> scale·x + shift, for one channel, in front of what `affine` does.
void prepend(Affine& affine, std::size_t channel, double scale, double shift) {
  affine.shift[channel] += affine.scale[channel] * shift;
  affine.scale[channel] *= scale;
}

Result<std::vector<double>> channel_values(const Fact& fact, const Fact* operand, const LinearLayer& layer) {
  auto values = operand && operand->known
                    ? values_along(*operand->known, fact.layout, layer.axis, layer.outputs)
                    : std::nullopt;
  if (values && std::none_of(values->begin(), values->end(), [](double v) { return std::isnan(v); }))
    return std::move(*values);
  return fact_error(
      fact,
      "a constant " +
          (operand && operand->known ? "of shape " + to_string(operand->known->extents) : "that is absent"),
      "a number, or one for each of the " + std::to_string(layer.outputs) + " channels that " +
          layer.fact->describe() + " makes");
}

/// y = (x - mean) / sqrt(var + epsilon) · scale + bias, over dimension 1.
Status prepend_batch_norm(const Analysis& analysis, const Fact& fact, const LinearLayer& layer,
                          Affine& affine) {
  const NodeView node = analysis.view(fact);
  PANTANAL_TRY(const double epsilon, node.real("epsilon", 1e-5f));
  std::vector<std::vector<double>> parameters;
  for (std::size_t i = 1; i <= 4; ++i) {
    PANTANAL_TRY(const Fact* const input, node.input(i));
    const bool vector = input->known && input->known->shape.size() == 1 && fact.layout.size() >= 2;
    if (!vector)
      return fact_error(fact, "parameters that are no constant vectors", "one constant per channel");
    Fact along_channels;
    along_channels.known = *input->known;
    along_channels.known->shape.insert(along_channels.known->shape.end(), fact.layout.size() - 2, 1);
    PANTANAL_TRY(auto values, channel_values(fact, &along_channels, layer));
    parameters.push_back(std::move(values));
  }
  for (std::size_t c = 0; c < layer.outputs; ++c) {
    const double scale = parameters[0][c] / std::sqrt(parameters[3][c] + epsilon);
    prepend(affine, c, scale, parameters[1][c] - parameters[2][c] * scale);
  }
  affine.parts.scale = affine.parts.shift = true;
  char name[48];
  std::snprintf(name, sizeof name, "batch norm of epsilon %.3g", epsilon);
  prepend_name(affine, name);
  return {};
}

/// Puts the node that makes `fact` in front of what `affine` does.
Status prepend_node(const Analysis& analysis, const Fact& fact, const LinearLayer& layer, Affine& affine) {
  if (fact.is("BatchNormalization")) return prepend_batch_norm(analysis, fact, layer, affine);
  if (fact.is("Neg")) {
    prepend_name(affine, "sign");
    for (std::size_t c = 0; c < layer.outputs; ++c) prepend(affine, c, -1, 0);
    return {};
  }
  const bool constant_first = fact.inputs[0]->known.has_value();
  PANTANAL_TRY(const std::vector<double> values,
               channel_values(fact, fact.inputs[constant_first ? 0 : 1], layer));
  const bool scales = fact.is("Mul") || fact.is("Div");
  (scales ? affine.parts.scale : affine.parts.shift) = true;
  prepend_name(affine, scales ? "scale" : "shift");
  for (std::size_t c = 0; c < layer.outputs; ++c) {
    if (fact.is("Mul")) prepend(affine, c, values[c], 0);
    if (fact.is("Div")) prepend(affine, c, 1 / values[c], 0);
    if (fact.is("Add")) prepend(affine, c, 1, values[c]);
    if (fact.is("Sub")) prepend(affine, c, constant_first ? -1 : 1, constant_first ? values[c] : -values[c]);
  }
  return {};
}

/// Computes weight and bias. Only finite ones are of use.
Status fold(const Affine& affine, FoldedLayer& folded) {
  const LinearLayer& layer = folded.layer;
  const std::size_t taps = layer.taps();
  folded.weight.reserve(layer.outputs * layer.inputs * taps);
  for (std::size_t o = 0; o < layer.outputs; ++o) {
    for (std::size_t i = 0; i < layer.inputs; ++i)
      for (std::size_t t = 0; t < taps; ++t)
        folded.weight.push_back(static_cast<float>(affine.scale[o] * layer.weight(o, i, t)));
    const double own = layer.bias.empty() ? 0 : layer.bias[o];
    folded.bias.push_back(static_cast<float>(affine.scale[o] * own + affine.shift[o]));
  }
  if (all_finite(folded.weight) && all_finite(folded.bias)) return {};
  return fact_error(*layer.fact, "weights or biases that are NaN, infinite or beyond float32",
                    "finite weights", ErrorCode::corrupt);
}

}  // namespace

std::string to_string(const LayerParts& parts) {
  const std::string& order = parts.order;
  const bool plain = order.empty() || order == "scale" || order == "shift" || order == "scale, shift";
  return std::string(parts.bias ? "its own bias" : "no bias of its own") +
         (parts.scale ? ", a scale" : ", no scale") + (parts.shift ? ", a shift" : ", no shift") +
         (plain ? "" : " (" + parts.order + ")");
}

bool is_folded_layer(const Fact& value) {
  const Fact* fact = value.origin;
  while (const Fact* const before = affine_input(*fact)) fact = before->origin;
  return is_linear(*fact);
}

Result<FoldedLayer> read_folded_layer(const Analysis& analysis, const Fact& value, const std::string& role) {
  std::vector<const Fact*> chain;
  const Fact* fact = value.origin;
  while (const Fact* const before = affine_input(*fact)) {
    chain.push_back(fact);
    fact = before->origin;
  }
  FoldedLayer folded;
  PANTANAL_TRY(folded.layer, read_linear_layer(analysis, *fact, role));
  Affine affine{
      std::vector<double>(folded.layer.outputs, 1), std::vector<double>(folded.layer.outputs, 0), {}};
  for (const Fact* node : chain) PANTANAL_TRY_STATUS(prepend_node(analysis, *node, folded.layer, affine));
  folded.parts = affine.parts;
  folded.parts.bias = !folded.layer.bias.empty();
  PANTANAL_TRY_STATUS(fold(affine, folded));
  return folded;
}

}  // namespace pantanal::convert
