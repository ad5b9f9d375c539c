#include <algorithm>
#include <array>
#include <string>
#include <tuple>
#include <utility>

#include "recognise/family_rules.hpp"

namespace pantanal::convert {
namespace {

using namespace family;

std::string block_name(std::size_t i) { return "block " + std::to_string(i); }

/// A member of a group of layers that must be alike in something.
template <class T>
struct Member {
  T value;
  const Fact* fact;
  std::string name;
};

/// Reports the members that differ from what most of their group have.
template <class T, class Show>
void check_alike(const std::vector<Member<T>>& group, const std::string& what, Show show, Deviations& all) {
  const Member<T>* usual = nullptr;
  std::ptrdiff_t most = 0;
  for (const Member<T>& member : group) {
    const auto count = std::count_if(group.begin(), group.end(),
                                     [&](const auto& other) { return other.value == member.value; });
    if (count > most) std::tie(usual, most) = std::pair(&member, count);
  }
  for (const Member<T>& member : group)
    if (!(member.value == usual->value))
      add(all, *member.fact, what + " of " + member.name + ": " + show(member.value),
          show(usual->value) + ", as in most others");
}

void check_activations(const PerchMatch& match, Deviations& all) {
  std::vector<Member<perch::Activation>> expand, depthwise, gate;
  for (std::size_t i = 0; i < match.blocks.size(); ++i) {
    const MbConvMatch& b = match.blocks[i];
    if (b.expand)
      expand.push_back(
          {b.block.expand_activation, b.expand->layer.fact, "the expansion of " + block_name(i)});
    depthwise.push_back({b.block.depthwise_activation, b.depthwise.layer.fact,
                         "the depthwise convolution of " + block_name(i)});
    gate.push_back(
        {b.block.se_activation, b.reduce.layer.fact, "the squeeze-and-excite of " + block_name(i)});
  }
  for (const auto* group : {&expand, &depthwise, &gate}) check_alike(*group, "the activation", name_of, all);
}

/// Layers of one kind are written with the same parts, and none is without any bias.
void check_parts(const PerchMatch& match, Deviations& all) {
  std::vector<Member<LayerParts>> convolutions, dense, ends;
  for (std::size_t i = 0; i < match.blocks.size(); ++i) {
    const MbConvMatch& b = match.blocks[i];
    if (b.expand)
      convolutions.push_back({b.expand->parts, b.expand->layer.fact, "the expansion of " + block_name(i)});
    convolutions.push_back(
        {b.depthwise.parts, b.depthwise.layer.fact, "the depthwise convolution of " + block_name(i)});
    convolutions.push_back({b.project.parts, b.project.layer.fact, "the projection of " + block_name(i)});
    dense.push_back({b.reduce.parts, b.reduce.layer.fact, "the first dense layer of " + block_name(i)});
    dense.push_back({b.excite.parts, b.excite.layer.fact, "the second dense layer of " + block_name(i)});
  }
  ends.push_back({match.stem.layer.parts, match.stem.layer.layer.fact, "the stem"});
  ends.push_back({match.head.layer.parts, match.head.layer.layer.fact, "the last convolution"});
  const auto count = [](const LayerParts& parts) {
    return int{parts.bias} + int{parts.scale} + int{parts.shift};
  };
  if (count(ends[1].value) > count(ends[0].value))
    std::swap(ends[0], ends[1]);  // the lesser one is the odd one
  const auto show = [](const LayerParts& parts) { return convert::to_string(parts); };
  for (const auto* group : {&convolutions, &dense, &ends}) {
    for (const auto& member : *group)
      if (!member.value.bias && !member.value.shift)
        add(all, *member.fact, "no bias at all in " + member.name, "a bias, or the shift of a batch norm");
    check_alike(*group, "the parts", show, all);
  }
  // Stem and head may have a bias of their own before the same batch norm, never less than the blocks.
  const LayerParts usual = convolutions.front().value;
  for (const auto& member : ends)
    if (member.value.scale != usual.scale || member.value.shift != usual.shift)
      add(all, *member.fact, "the parts of " + member.name + ": " + show(member.value),
          show(usual) + ", as in the blocks");
}

void check_blocks(const PerchMatch& match, Deviations& all) {
  for (std::size_t i = 0; i < match.blocks.size(); ++i) {
    const MbConvMatch& b = match.blocks[i];
    const perch::ConvGeometry& g = b.block.depthwise;
    const auto [top, bottom] = same_pads(b.size.height, g.kernel, g.stride);
    const auto [left, right] = same_pads(b.size.width, g.kernel, g.stride);
    const perch::Pads wanted{top, left, bottom, right};
    if (g.pads != wanted)
      add(all, *b.depthwise.layer.fact, "pads " + to_string(g.pads) + " in " + block_name(i),
          to_string(wanted) + ", SAME for an image of " + std::to_string(b.size.height) + " x " +
              std::to_string(b.size.width));
    if (b.block.se_channels != std::max<std::size_t>(1, b.block.in_channels / 4))
      add(all, *b.reduce.layer.fact,
          std::to_string(b.block.se_channels) + " channels in the squeeze-and-excite of " + block_name(i),
          "a quarter of the block's " + std::to_string(b.block.in_channels) + " input channels");
  }
}

/// What the first block of a stage has and the others repeat at stride 1, with a skip.
struct Stage {
  std::size_t kernel, stride, expand;
  std::size_t released_blocks;
};
constexpr Stage stages[] = {{3, 1, 1, 2}, {3, 2, 6, 3}, {5, 2, 6, 3}, {3, 2, 6, 5},
                            {5, 1, 6, 5}, {5, 2, 6, 6}, {3, 1, 6, 2}};

std::string to_string(const Stage& stage) {
  return "kernel " + std::to_string(stage.kernel) + ", stride " + std::to_string(stage.stride) +
         ", expansion by " + std::to_string(stage.expand);
}

Stage stage_of(const perch::Block& block) {
  return {block.depthwise.kernel, block.depthwise.stride, block.expanded_channels / block.in_channels, 0};
}

bool same_kind(const Stage& a, const Stage& b) {
  return a.kernel == b.kernel && a.stride == b.stride && a.expand == b.expand;
}

/// Blocks come in seven stages; a block without a skip begins the next one.
void check_stages(const PerchMatch& match, Deviations& all) {
  std::array<std::size_t, std::size(stages)> blocks = {};
  std::size_t next = 0;
  for (std::size_t i = 0; i < match.blocks.size(); ++i) {
    const MbConvMatch& b = match.blocks[i];
    const Fact& fact = *b.depthwise.layer.fact;
    const Stage found = stage_of(b.block);
    if (!b.block.has_skip && next < std::size(stages) && same_kind(found, stages[next])) {
      blocks[next++] = 1;
      continue;
    }
    Stage repeated = next > 0 ? stages[next - 1] : stages[0];
    repeated.stride = 1;
    const bool continues = next > 0 && b.block.has_skip && same_kind(found, repeated);
    if (continues) {
      ++blocks[next - 1];
      continue;
    }
    std::string expected = next > 0 ? to_string(repeated) + ", with a skip" : "";
    if (next < std::size(stages))
      expected += (next > 0 ? "; or " : "") + to_string(stages[next]) + ", without";
    return add(all, fact,
               block_name(i) + " with " + to_string(found) +
                   (b.block.has_skip ? ", with a skip" : ", without a skip"),
               expected);
  }
  if (next < std::size(stages))
    return add(all, *match.head.layer.layer.fact, std::to_string(next) + " stages of blocks",
               std::to_string(std::size(stages)));
  const bool released_width = match.stem.layer.layer.outputs == 40 && match.head.layer.layer.outputs == 1536;
  for (std::size_t i = 0; i < std::size(stages) && released_width; ++i)
    if (blocks[i] != stages[i].released_blocks)
      add(all, *match.head.layer.layer.fact,
          std::to_string(blocks[i]) + " blocks in stage " + std::to_string(i),
          std::to_string(stages[i].released_blocks) + ", as released");
}

}  // namespace

std::vector<Error> family_deviations(const PerchMatch& match) {
  Deviations all;
  check_frontend(match, all);
  check_stem(match, all);
  check_stages(match, all);
  if (!match.blocks.empty()) {
    check_blocks(match, all);
    check_activations(match, all);
    check_parts(match, all);
  }
  if (match.label) check_label(match, all);
  return all;
}

}  // namespace pantanal::convert
