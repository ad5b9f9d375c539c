#include "recognise/perch_match.hpp"

#include <algorithm>
#include <utility>

#include "pantanal/perch/architecture_validation.hpp"
#include "recognise/activation.hpp"
#include "recognise/pooling.hpp"

namespace pantanal::convert {
namespace {

/// Whether the dimensions of an output are these axes, batch first, each complete and in order.
Status check_output(const Analysis& analysis, const Fact* output, const char* name,
                    std::initializer_list<AxisKind> kinds) {
  if (!output) return {};
  const auto is_kind = [&](const Digits& digits, AxisKind kind) {
    if (digits.empty()) return true;
    const bool one = digits.size() == 1 && digits.front().stride == 1;
    return one && analysis.axis(digits.front().axis).kind == kind &&
           (kind != AxisKind::feature || single_axis(digits, analysis.axes()));
  };
  if (std::equal(output->layout.begin(), output->layout.end(), kinds.begin(), kinds.end(), is_kind))
    return {};
  return fact_error(*output,
                    std::string("output ") + name + " with dimensions " + to_string(output->extents()) +
                        " in another order",
                    "batch first, then time, then frequency, then channels");
}

Status check_outputs(const Analysis& analysis, const OutputFacts& outputs) {
  using enum AxisKind;
  PANTANAL_TRY_STATUS(check_output(analysis, outputs.embedding, "embedding", {batch, feature}));
  PANTANAL_TRY_STATUS(check_output(analysis, outputs.spatial_embedding, "spatial_embedding",
                                   {batch, time, frequency, feature}));
  PANTANAL_TRY_STATUS(check_output(analysis, outputs.spectrogram, "spectrogram", {batch, time, frequency}));
  return check_output(analysis, outputs.label, "label", {batch, feature});
}

/// The value whose mean is the embedding.
Result<const Fact*> find_spatial_embedding(const Analysis& analysis, const OutputFacts& outputs) {
  if (!outputs.embedding) {
    if (outputs.spatial_embedding) return outputs.spatial_embedding->origin;
    return Error{ErrorCode::unsupported, "the graph", "neither an embedding nor a spatial_embedding",
                 "at least one of them"};
  }
  PANTANAL_TRY(const Fact* const pooled,
               match_pooling(analysis, *outputs.embedding, Pooling::mean, "the embedding"));
  if (outputs.spatial_embedding && outputs.spatial_embedding->origin != pooled->origin)
    return fact_error(*outputs.embedding, "the mean of what " + pooled->origin->describe() + " gives",
                      "the mean of spatial_embedding, from " + outputs.spatial_embedding->origin->describe());
  return pooled->origin;
}

Result<EndMatch> match_end(const Analysis& analysis, const Fact& value, const std::string& role) {
  EndMatch end;
  PANTANAL_TRY(const ActivationMatch activation, match_activation(analysis, value, "after " + role));
  end.activation = activation.kind;
  PANTANAL_TRY(end.layer, read_folded_layer(analysis, *activation.input, role));
  return end;
}

/// Whether `value` is the activation after the stem, the convolution of the one-channel spectrogram.
Result<bool> match_stem(const Analysis& analysis, const Fact& value, PerchMatch& match) {
  const auto activation = match_activation(analysis, value, "after the stem");
  if (!activation) return false;
  auto layer = read_folded_layer(analysis, *activation->input, "the stem");
  if (!layer || layer->layer.is_dense() || layer->layer.groups != 1) return false;
  if (layer->layer.inputs != 1)
    return fact_error(*layer->layer.fact, std::to_string(layer->layer.inputs) + " input channels",
                      "one: the stem's, or a depthwise convolution");
  PANTANAL_TRY(match.stem_geometry, image_geometry(analysis, layer->layer));
  match.stem = {std::move(*layer), activation->kind};
  return true;
}

/// Blocks from the last to the first, then the stem.
Status match_backbone(const Analysis& analysis, const Fact* value, PerchMatch& match) {
  while (true) {
    PANTANAL_TRY(const bool at_stem, match_stem(analysis, *value, match));
    if (at_stem) break;
    if (match.blocks.size() == perch::ArchitectureLimits::blocks)
      return fact_error(*value, "more blocks than " + std::to_string(match.blocks.size()), "a stem");
    PANTANAL_TRY(MbConvMatch block, match_mbconv(analysis, *value));
    value = block.input;
    match.blocks.push_back(std::move(block));
  }
  std::reverse(match.blocks.begin(), match.blocks.end());
  return {};
}

}  // namespace

Result<PerchMatch> match_perch(const Analysis& analysis, const OutputFacts& outputs) {
  PerchMatch match;
  match.outputs = outputs;
  for (const Fact* output :
       {outputs.embedding, outputs.spatial_embedding, outputs.spectrogram, outputs.label})
    if (output && output->problem) return *output->problem;
  PANTANAL_TRY_STATUS(check_outputs(analysis, outputs));
  PANTANAL_TRY(const Fact* const spatial, find_spatial_embedding(analysis, outputs));
  PANTANAL_TRY(match.head, match_end(analysis, *spatial, "the last convolution"));
  const LinearLayer& head = match.head.layer.layer;
  if (!head.is_dense())
    return fact_error(*head.fact, "a convolution with a kernel, stride or pads", "the last convolution, 1x1");
  PANTANAL_TRY_STATUS(match_backbone(analysis, head.input, match));
  const Fact& spectrogram = *match.stem.layer.layer.input;
  if (outputs.spectrogram && outputs.spectrogram->origin != &spectrogram)
    return fact_error(*outputs.spectrogram, "output spectrogram, which is not what the stem is applied to",
                      "what " + spectrogram.describe() + " gives");
  PANTANAL_TRY(match.frontend, match_frontend(analysis, spectrogram));
  if (!outputs.label) return match;
  PANTANAL_TRY(match.label, match_label_head(analysis, *outputs.label));
  if (match.label->image == spatial) return match;
  return fact_error(*match.label->product,
                    "prototypes compared with what " + match.label->image->describe() + " gives",
                    "with the spatial embedding, from " + spatial->describe());
}

}  // namespace pantanal::convert
