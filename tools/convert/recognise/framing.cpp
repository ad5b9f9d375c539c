#include "recognise/framing.hpp"

#include <algorithm>
#include <string>

#include "analysis/select_rules.hpp"
#include "recognise/linear_layer.hpp"

namespace pantanal::convert {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

/// Number of frames that a value has.
std::size_t frames_of(const Fact& fact) {
  for (const Digits& digits : fact.layout)
    for (const Digit& digit : digits)
      if (digit.axis == time_axis) return static_cast<std::size_t>(digit.extent);
  return 1;
}

/// A convolution with one output channel per sample of a frame, or anything linear folded into it.
Result<FrameTransform> framed_by_convolution(const Analysis& analysis, const Fact& fact) {
  PANTANAL_TRY(const LinearLayer layer, read_linear_layer(analysis, fact, "the framing of the samples"));
  if (layer.input != &analysis.input())
    return fact_error(fact, "frames of what " + layer.input->describe() + " gives",
                      "frames of the model's input itself");
  FrameTransform transform;
  for (const Sliding& window : layer.windows) {
    if (window.is_pointwise()) continue;
    if (transform.framing.hop != 0 || window.dilation != 1)
      return fact_error(fact, "a convolution over two dimensions", "one over the samples");
    transform.framing = {0, static_cast<std::size_t>(window.stride),
                         static_cast<std::size_t>(window.pad_begin),
                         static_cast<std::size_t>(window.pad_end)};
  }
  if (transform.framing.hop == 0 || layer.inputs != 1 || layer.groups != 1 || !layer.bias.empty())
    return fact_error(fact, "a convolution with other inputs, groups or a bias",
                      "framing: one channel in, no bias");
  PANTANAL_TRY_STATUS(
      check_matrix_size(fact, static_cast<double>(layer.outputs), static_cast<double>(layer.taps())));
  transform.matrix.resize(static_cast<Index>(layer.outputs), static_cast<Index>(layer.taps()));
  for (std::size_t o = 0; o < layer.outputs; ++o)
    for (std::size_t t = 0; t < layer.taps(); ++t)
      transform.matrix(static_cast<Index>(o), static_cast<Index>(t)) = layer.weight(o, 0, t);
  return transform;
}

/// A table of sample indices, one row per frame.
Result<FrameTransform> framed_by_table(const Analysis& analysis, const Fact& fact) {
  const Known& table = *fact.inputs[1]->known;
  FrameTransform transform;
  const Fact* input = fact.inputs[0]->origin;
  while (input->is("Pad") || input->is("Concat")) {
    PANTANAL_TRY(const ZeroPads pads, zero_pads(analysis.view(*input)));
    for (const auto& [begin, end] : pads) {
      transform.framing.pad_left += static_cast<std::size_t>(begin);
      transform.framing.pad_right += static_cast<std::size_t>(end);
    }
    PANTANAL_TRY(input, padded_value(analysis.view(*input)));
    input = input->origin;
  }
  if (input != &analysis.input() || table.repeats())
    return fact_error(fact, "frames of what " + input->describe() + " gives",
                      "frames of the model's input itself");
  const std::int64_t frames = table.shape[0], taps = table.shape[1];
  const std::int64_t hop =
      frames > 1 ? table.integers()[static_cast<std::size_t>(taps)].fixed - table.integers()[0].fixed : 1;
  for (std::int64_t i = 0; i < frames * taps; ++i)
    if (table.integers()[static_cast<std::size_t>(i)] != Dim{i / taps * hop + i % taps} || hop < 1)
      return fact_error(fact, "frames of samples that do not follow each other",
                        "equal steps from frame to frame");
  PANTANAL_TRY_STATUS(check_matrix_size(fact, static_cast<double>(taps), static_cast<double>(taps)));
  transform.framing.hop = static_cast<std::size_t>(hop);
  transform.matrix = MatrixXd::Identity(taps, taps);
  return transform;
}

}  // namespace

Status check_matrix_size(const Fact& fact, double rows, double columns) {
  constexpr double most_elements = 1 << 27;
  if (rows * columns <= most_elements) return {};
  return fact_error(fact, "a transform of " + std::to_string(rows) + " by " + std::to_string(columns),
                    "a frame of a few thousand samples");
}

bool is_framing(const Fact& fact) {
  if (fact.is("Gather")) return fact.inputs[1]->extents().size() == 2;
  if (!fact.is("Conv")) return false;
  const Shape& weight = fact.inputs[1]->known->shape;
  return std::any_of(weight.begin() + 2, weight.end(), [](std::int64_t extent) { return extent > 1; });
}

Result<FrameTransform> read_framing(const Analysis& analysis, const Fact& fact) {
  PANTANAL_TRY(FrameTransform transform,
               fact.is("Gather") ? framed_by_table(analysis, fact) : framed_by_convolution(analysis, fact));
  transform.framing.frames = frames_of(fact);
  return transform;
}

}  // namespace pantanal::convert
