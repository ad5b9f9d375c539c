#include "recognise/linear_layer.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "analysis/select_rules.hpp"
#include "recognise/axis_values.hpp"

namespace pantanal::convert {
namespace {

/// Takes Pad nodes in front of a convolution into its windows.
Status absorb_pads(const Analysis& analysis, const Fact& convolved, LinearLayer& layer) {
  layer.input = convolved.origin;
  while (layer.input->is("Pad") || layer.input->is("Concat")) {
    const Fact& pad = *layer.input;
    PANTANAL_TRY(const ZeroPads zeros, zero_pads(analysis.view(pad)));
    PANTANAL_TRY(const Fact* const inside, padded_value(analysis.view(pad)));
    for (std::size_t i = 0; i < zeros.size(); ++i) {
      const std::int64_t sum = zeros[i].first + zeros[i].second;
      if (sum == 0) continue;
      std::size_t window = 0;
      const auto is_here = [&](const Digits& digits) {
        return digits.size() == 1 && digits.front().axis == pad.layout[i].front().axis;
      };
      while (window < layer.windows.size() && !is_here(convolved.layout[2 + window])) ++window;
      if (window == layer.windows.size())
        return fact_error(pad, "zeros around dimension " + std::to_string(i),
                          "zeros around what the convolution after it slides over");
      layer.windows[window].pad_begin += zeros[i].first;
      layer.windows[window].pad_end += zeros[i].second;
      layer.image[window].fixed -= sum;
    }
    layer.input = inside->origin;
  }
  return {};
}

/// Batch and positions must pass a layer untouched: no feature axis but the summed one.
Status check_other_dimensions(const Analysis& analysis, const Fact& fact, const Layout& layout,
                              std::size_t summed) {
  for (std::size_t i = 0; i < layout.size(); ++i)
    for (const Digit& digit : layout[i])
      if (i != summed && analysis.axis(digit.axis).kind == AxisKind::feature)
        return fact_error(fact,
                          "channels in dimension " + std::to_string(i) + " besides those in dimension " +
                              std::to_string(summed),
                          "channels in one dimension");
  return {};
}

Status check_summed(const Analysis& analysis, const Fact& fact, const Digits& summed,
                    const std::string& role) {
  const auto axis = single_axis(summed, analysis.axes());
  if (axis && (*axis < 0 || analysis.axis(*axis).kind == AxisKind::feature)) return {};
  return fact_error(fact, "a sum over something else than all channels in order",
                    "a sum over the channels: " + role);
}

Result<LinearLayer> read_convolution(const Analysis& analysis, const Fact& fact, const std::string& role) {
  const NodeView node = analysis.view(fact);
  PANTANAL_TRY(const Fact* const input, node.input(0));
  PANTANAL_TRY(const Fact* const weight, node.input(1));
  const Shape& shape = weight->known->shape;  // layout inference has checked it
  LinearLayer layer;
  layer.fact = &fact;
  layer.matrix = &*weight->known;
  PANTANAL_TRY(const std::int64_t groups, node.integer("group", 1));
  layer.groups = static_cast<std::size_t>(groups);
  layer.outputs = static_cast<std::size_t>(shape[0]);
  layer.inputs = static_cast<std::size_t>(shape[1]);
  layer.image = extents_of(Layout(input->layout.begin() + 2, input->layout.end()));
  PANTANAL_TRY(layer.windows, sliding_windows(node, layer.image, Shape(shape.begin() + 2, shape.end())));
  layer.input_step = layer.taps();
  layer.output_step = layer.inputs * layer.input_step;
  PANTANAL_TRY_STATUS(absorb_pads(analysis, *input, layer));
  PANTANAL_TRY_STATUS(check_summed(analysis, fact, input->layout[1], role));
  PANTANAL_TRY_STATUS(check_other_dimensions(analysis, fact, input->layout, 1));
  if (!fact.layout[1].empty()) layer.axis = fact.layout[1].front().axis;
  const Fact* const bias = node.optional_input(2);
  if (!bias) return layer;
  if (!bias->known || !bias->known->is_real() || bias->known->size() != layer.outputs)
    return fact_error(fact, "a bias that is not one constant per output channel",
                      std::to_string(layer.outputs) + " constants");
  for (std::size_t i = 0; i < layer.outputs; ++i) layer.bias.push_back(bias->known->real(i));
  return layer;
}

Result<LinearLayer> read_product(const Analysis& analysis, const Fact& fact, const std::string& role) {
  const NodeView node = analysis.view(fact);
  PANTANAL_TRY(const MatrixProduct product, matrix_product(node));
  LinearLayer layer;
  layer.fact = &fact;
  layer.input = product.value->origin;
  layer.matrix = &*product.matrix->known;
  layer.outputs = static_cast<std::size_t>(product.outputs);
  layer.inputs = static_cast<std::size_t>(product.inputs);
  layer.output_step = product.outputs_first ? layer.inputs : 1;
  layer.input_step = product.outputs_first ? 1 : layer.outputs;
  PANTANAL_TRY_STATUS(check_summed(analysis, fact, product.value->layout[product.contracted], role));
  PANTANAL_TRY_STATUS(check_other_dimensions(analysis, fact, product.value->layout, product.contracted));
  const Digits& made = fact.layout[fact.layout.size() - (product.outputs_lead ? 2 : 1)];
  if (!made.empty()) layer.axis = made.front().axis;
  if (!node.is("Gemm")) return layer;
  PANTANAL_TRY(layer.factor, node.real("alpha", 1));
  PANTANAL_TRY(const double beta, node.real("beta", 1));
  const Fact* const bias = node.optional_input(2);
  if (!bias) return layer;
  const auto values = values_along(*bias->known, fact.layout, layer.axis, layer.outputs);
  if (!values)
    return fact_error(fact, "a bias that varies over something else than the outputs", "one bias per output");
  for (const double value : *values) layer.bias.push_back(beta * value);
  return layer;
}

}  // namespace

std::size_t LinearLayer::taps() const {
  std::size_t count = 1;
  for (const Sliding& window : windows) count *= static_cast<std::size_t>(window.kernel);
  return count;
}

bool LinearLayer::is_dense() const {
  return groups == 1 &&
         std::all_of(windows.begin(), windows.end(), [](const Sliding& w) { return w.is_pointwise(); });
}

bool is_linear(const Fact& fact) { return fact.is("Conv") || fact.is("MatMul") || fact.is("Gemm"); }

Result<LinearLayer> read_linear_layer(const Analysis& analysis, const Fact& fact, const std::string& role) {
  if (fact.is("Conv")) return read_convolution(analysis, fact, role);
  if (is_linear(fact)) return read_product(analysis, fact, role);
  return fact_error(fact, operator_of(fact), "Conv, MatMul or Gemm with constant weights: " + role);
}

}  // namespace pantanal::convert
