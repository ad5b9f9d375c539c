#include "summary.hpp"

#include <cstdio>
#include <vector>

namespace pantanal::convert {
namespace {

const char* name_of(perch::Activation activation) {
  switch (activation) {
    case perch::Activation::none:
      return "none";
    case perch::Activation::relu:
      return "ReLU";
    case perch::Activation::swish:
      return "swish";
  }
  return "unknown";
}

/// printf into a string.
template <class... Values>
std::string format(const char* pattern, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

std::string frontend_lines(const perch::Frontend& f) {
  return format("front end  %zu samples -> %zu frames x %zu mel bands\n", f.samples, f.frames(),
                f.mel_bands) +
         format("           window %zu, hop %zu, pads %zu and %zu, DFT of %zu, %g ln(max(mel, %g))\n",
                f.frame_length, f.hop_length, f.pad_left, f.pad_right, f.fft_size, double(f.scale),
                double(f.floor));
}

/// Activations of a block, once if they are the same.
std::string activations(const perch::Block& block) {
  std::string text = name_of(block.depthwise_activation);
  const bool same = block.se_activation == block.depthwise_activation &&
                    (!block.has_expand || block.expand_activation == block.depthwise_activation);
  if (same) return text;
  if (block.has_expand) text = std::string(name_of(block.expand_activation)) + ", " + text;
  return text + ", SE " + name_of(block.se_activation);
}

/// A line for the blocks first .. last of a stage, which begins where a block has no skip.
std::string stage_line(const perch::Architecture& a, const std::vector<perch::Extent>& extents,
                       std::size_t first, std::size_t last) {
  const perch::Block& block = a.blocks[first];
  const perch::Pads& pads = block.depthwise.pads;
  const perch::Extent in = extents[first], out = extents[last + 1];
  const std::string numbers =
      first == last ? std::to_string(first) : std::to_string(first) + "-" + std::to_string(last);
  return format("  %-6s %5zu -> %-5zu %zux%zu  %6zu  x%-5zu %3zu x %-3zu -> %3zu x %-3zu  %zu,%zu,%zu,%zu  ",
                numbers.c_str(), block.in_channels, block.out_channels, block.depthwise.kernel,
                block.depthwise.kernel, block.depthwise.stride, block.expanded_channels / block.in_channels,
                in.height, in.width, out.height, out.width, pads.top, pads.left, pads.bottom, pads.right) +
         activations(block) + "\n";
}

std::string stages(const perch::Architecture& a, const std::vector<perch::Extent>& extents) {
  std::string text =
      "  blocks    in -> out   kernel stride expand  image                   pads     activation\n";
  for (std::size_t first = 0; first < a.blocks.size();) {
    std::size_t last = first;
    while (last + 1 < a.blocks.size() && a.blocks[last + 1].has_skip) ++last;
    text += stage_line(a, extents, first, last);
    first = last + 1;
  }
  return text;
}

}  // namespace

std::string summary(const perch::Model& model) {
  const perch::Architecture& a = model.architecture;
  const std::vector<perch::Extent> extents = a.extents();
  std::size_t parameters = 0, label_parameters = 0;
  for (const auto& [name, tensor] : model.tensors)
    (name.starts_with("label.") ? label_parameters : parameters) += tensor.size();
  const perch::Extent last = extents.back();
  std::string text = frontend_lines(a.frontend);
  text += format("stem       %zux%zu, stride %zu, 1 -> %zu, %s: %zu x %zu\n", a.stem.conv.kernel,
                 a.stem.conv.kernel, a.stem.conv.stride, a.stem.channels, name_of(a.stem.activation),
                 extents.front().height, extents.front().width);
  text += stages(a, extents);
  text += format("head       1x1, %zu -> %zu, %s: %zu x %zu positions\n", a.blocks.back().out_channels,
                 a.head.channels, name_of(a.head.activation), last.height, last.width);
  if (a.label.classes > 0)
    text += format("label      %zu classes of %zu prototypes, eps %g\n", a.label.classes, a.label.prototypes,
                   double(a.label.eps));
  else
    text += "label      no label head: embeddings only\n";
  return text + format("parameters %zu, and %zu in the label head\n", parameters, label_parameters);
}

}  // namespace pantanal::convert
