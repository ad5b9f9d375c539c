#include "recognise/mbconv.hpp"

#include <algorithm>
#include <utility>

#include "recognise/activation.hpp"
#include "recognise/pooling.hpp"

namespace pantanal::convert {
namespace {

/// Operands of a node with two inputs, neither constant, the one that is computed later first.
struct Operands {
  const Fact *later, *earlier;
};

std::optional<Operands> two_values(const Fact& fact, const char* op) {
  if (!fact.is(op) || fact.inputs.size() != 2) return std::nullopt;
  for (const Fact* input : fact.inputs)
    if (!input || input->known) return std::nullopt;
  const Fact *const a = fact.inputs[0], *const b = fact.inputs[1];
  return a->origin->order > b->origin->order ? Operands{a, b} : Operands{b, a};
}

Result<FoldedLayer> read_dense(const Analysis& analysis, const Fact& value, const std::string& role) {
  PANTANAL_TRY(FoldedLayer folded, read_folded_layer(analysis, value, role));
  if (folded.layer.is_dense()) return folded;
  return fact_error(*folded.layer.fact, "a convolution with a larger kernel, a stride, pads or groups",
                    "a 1x1 convolution or a matrix product: " + role);
}

/// The excited image and its gate: image · sigmoid(g), or image / (1 + exp(-g)).
struct Gated {
  const Fact *image, *gate;
  bool reciprocal;
};

Result<Gated> match_gated(const Fact& value) {
  const Fact& fact = *value.origin;
  if (const auto product = two_values(fact, "Mul")) return Gated{product->earlier, product->later, false};
  if (two_values(fact, "Div")) return Gated{fact.inputs[0], fact.inputs[1], true};
  return fact_error(fact, operator_of(fact),
                    "Mul: the squeeze-and-excite gate times the image, before the projection of a block");
}

/// Fills reduce, excite and the activation between; returns the image that is squeezed and scaled.
Result<const Fact*> match_squeeze_excite(const Analysis& analysis, const Fact& scaled, MbConvMatch& match) {
  PANTANAL_TRY(const Gated gated, match_gated(scaled));
  PANTANAL_TRY(const Fact* const opened,
               match_sigmoid(analysis, *gated.gate, gated.reciprocal, "the gate of a squeeze-and-excite"));
  PANTANAL_TRY(match.excite, read_dense(analysis, *opened, "the second dense layer of a squeeze-and-excite"));
  PANTANAL_TRY(const ActivationMatch activation,
               match_activation(analysis, *match.excite.layer.input,
                                "between the dense layers of a squeeze-and-excite"));
  match.block.se_activation = activation.kind;
  PANTANAL_TRY(match.reduce,
               read_dense(analysis, *activation.input, "the first dense layer of a squeeze-and-excite"));
  PANTANAL_TRY(const Fact* const squeezed, match_pooling(analysis, *match.reduce.layer.input, Pooling::mean,
                                                         "the squeeze of a squeeze-and-excite"));
  if (squeezed->origin == gated.image->origin) return gated.image->origin;
  return fact_error(*scaled.origin, "a gate computed from " + squeezed->describe(),
                    "one computed from the image it scales, " + gated.image->describe());
}

Status match_depthwise(const Analysis& analysis, const Fact& image, MbConvMatch& match) {
  const std::string role = "the depthwise convolution of a block";
  PANTANAL_TRY(const ActivationMatch activation, match_activation(analysis, image, "after " + role));
  match.block.depthwise_activation = activation.kind;
  PANTANAL_TRY(match.depthwise, read_folded_layer(analysis, *activation.input, role));
  const LinearLayer& layer = match.depthwise.layer;
  if (layer.groups != layer.outputs || layer.inputs != 1)
    return fact_error(
        *layer.fact,
        std::to_string(layer.groups) + " groups for " + std::to_string(layer.outputs) + " channels",
        "one group per channel: " + role);
  PANTANAL_TRY(match.block.depthwise, image_geometry(analysis, layer));
  match.size = image_extent(layer);
  return {};
}

/// The expansion, if there is one: an activation after a dense layer that is not a whole block's end.
Status match_expand(const Analysis& analysis, MbConvMatch& match) {
  const Fact& image = *match.depthwise.layer.input;
  match.input = &image;
  match.block.has_expand = false;
  const bool ends_without_activation = is_folded_layer(image) || two_values(image, "Add");
  if (ends_without_activation) return {};
  PANTANAL_TRY(const ActivationMatch activation,
               match_activation(analysis, image, "in front of a depthwise convolution"));
  PANTANAL_TRY(FoldedLayer layer,
               read_folded_layer(analysis, *activation.input, "the expansion of a block, or the stem"));
  if (!layer.layer.is_dense()) return {};  // the stem
  match.block.has_expand = true;
  match.block.expand_activation = activation.kind;
  match.input = layer.layer.input;
  match.expand = std::move(layer);
  return {};
}

Status check_skip(const Fact& output, const Fact* skipped, MbConvMatch& match) {
  match.block.has_skip = skipped != nullptr;
  if (!skipped || skipped->origin == match.input->origin) return {};
  return fact_error(output, "a sum with what " + skipped->origin->describe() + " gives",
                    "a skip that adds the block's input, given by " + match.input->origin->describe());
}

/// Channel counts, which must agree from layer to layer.
Status set_channels(MbConvMatch& match) {
  perch::Block& block = match.block;
  block.expanded_channels = match.depthwise.layer.outputs;
  block.in_channels = match.expand ? match.expand->layer.inputs : block.expanded_channels;
  block.out_channels = match.project.layer.outputs;
  block.se_channels = match.reduce.layer.outputs;
  const bool agree = (!match.expand || match.expand->layer.outputs == block.expanded_channels) &&
                     match.reduce.layer.inputs == block.expanded_channels &&
                     match.excite.layer.inputs == block.se_channels &&
                     match.excite.layer.outputs == block.expanded_channels &&
                     match.project.layer.inputs == block.expanded_channels;
  if (agree) return {};
  return fact_error(*match.project.layer.fact, "layers whose channels do not agree",
                    "one number of expanded channels", ErrorCode::mismatch);
}

}  // namespace

Result<MbConvMatch> match_mbconv(const Analysis& analysis, const Fact& output) {
  MbConvMatch match;
  const auto sum = two_values(*output.origin, "Add");
  const Fact& projected = sum ? *sum->later : output;
  PANTANAL_TRY(match.project, read_dense(analysis, projected, "the projection of a block"));
  PANTANAL_TRY(const Fact* const image, match_squeeze_excite(analysis, *match.project.layer.input, match));
  PANTANAL_TRY_STATUS(match_depthwise(analysis, *image, match));
  PANTANAL_TRY_STATUS(match_expand(analysis, match));
  PANTANAL_TRY_STATUS(check_skip(*output.origin, sum ? sum->earlier : nullptr, match));
  PANTANAL_TRY_STATUS(set_channels(match));
  return match;
}

perch::Extent image_extent(const LinearLayer& layer) {
  return {static_cast<std::size_t>(layer.image[0].fixed), static_cast<std::size_t>(layer.image[1].fixed)};
}

Result<perch::ConvGeometry> image_geometry(const Analysis& analysis, const LinearLayer& layer) {
  const Fact& fact = *layer.fact;
  if (layer.windows.size() != 2)
    return fact_error(fact, std::to_string(layer.windows.size()) + " spatial dimensions",
                      "two, time and frequency");
  const Sliding &height = layer.windows[0], &width = layer.windows[1];
  if (height.kernel != width.kernel || height.stride != width.stride || height.dilation != 1 ||
      width.dilation != 1)
    return fact_error(fact,
                      "a kernel of " + std::to_string(height.kernel) + " x " + std::to_string(width.kernel) +
                          ", strides " + std::to_string(height.stride) + " x " +
                          std::to_string(width.stride) + ", or dilation",
                      "a square kernel with equal strides and no dilation");
  const auto runs_over = [&](std::size_t dimension, AxisKind kind) {
    const Digits& digits = fact.layout[dimension];
    return digits.empty() || analysis.axis(digits.front().axis).kind == kind;
  };
  if (!runs_over(2, AxisKind::time) || !runs_over(3, AxisKind::frequency))
    return fact_error(fact, "an image whose height is not time", "images of [time, frequency]");
  const auto size = [](std::int64_t value) { return static_cast<std::size_t>(value); };
  return perch::ConvGeometry{
      size(height.kernel),
      size(height.stride),
      {size(height.pad_begin), size(width.pad_begin), size(height.pad_end), size(width.pad_end)}};
}

}  // namespace pantanal::convert
