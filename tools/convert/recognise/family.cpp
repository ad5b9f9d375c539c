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

/// What most members of a group have, which is not empty.
template <class T>
const T& usual_of(const std::vector<Member<T>>& group) {
  const Member<T>* usual = nullptr;
  std::ptrdiff_t most = 0;
  for (const Member<T>& member : group) {
    const auto count = std::count_if(group.begin(), group.end(),
                                     [&](const auto& other) { return other.value == member.value; });
    if (count > most) std::tie(usual, most) = std::pair(&member, count);
  }
  return usual->value;
}

/// Reports the members that differ from what most of their group have.
template <class T, class Show>
void check_alike(const std::vector<Member<T>>& group, const std::string& what, Show show, Deviations& all) {
  if (group.empty()) return;
  const T usual = usual_of(group);
  for (const Member<T>& member : group)
    if (!(member.value == usual))
      add(all, *member.fact, what + " of " + member.name + ": " + show(member.value),
          show(usual) + ", as in most others");
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
  // A whole kind of layers that differs from the others is the odd one out, by the depthwise convolutions.
  const perch::Activation usual = usual_of(depthwise);
  for (const auto* group : {&expand, &gate})
    if (!group->empty() && usual_of(*group) != usual)
      add(all, *group->front().fact,
          "the activation of " + group->front().name +
              " and of others of its kind: " + name_of(usual_of(*group)),
          name_of(usual) + ", as after the depthwise convolutions");
  for (const auto& [end, name] : {std::pair(&match.stem, "the stem"), {&match.head, "the last convolution"}})
    if (end->activation != perch::Activation::swish && end->activation != usual)
      add(all, *end->layer.layer.fact, name_of(end->activation) + " after " + name,
          "swish, or " + name_of(usual) + " as in the blocks");
}

/// A layer with what messages call it.
struct NamedLayer {
  const FoldedLayer* layer;
  std::string name;
};

/// The layers of one kind, which are written alike.
struct Layers {
  std::vector<NamedLayer> convolutions, dense, ends;
};

Layers layers_of(const PerchMatch& match) {
  Layers layers;
  for (std::size_t i = 0; i < match.blocks.size(); ++i) {
    const MbConvMatch& b = match.blocks[i];
    if (b.expand) layers.convolutions.push_back({&*b.expand, "the expansion of " + block_name(i)});
    layers.convolutions.push_back({&b.depthwise, "the depthwise convolution of " + block_name(i)});
    layers.convolutions.push_back({&b.project, "the projection of " + block_name(i)});
    layers.dense.push_back({&b.reduce, "the first dense layer of " + block_name(i)});
    layers.dense.push_back({&b.excite, "the second dense layer of " + block_name(i)});
  }
  layers.ends = {{&match.stem.layer, "the stem"}, {&match.head.layer, "the last convolution"}};
  return layers;
}

std::vector<Member<LayerParts>> parts_of(const std::vector<NamedLayer>& layers) {
  std::vector<Member<LayerParts>> parts;
  for (const auto& [layer, name] : layers) parts.push_back({layer->parts, layer->layer.fact, name});
  return parts;
}

template <class Numbers>
bool all_zero(const Numbers& numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](auto number) { return number == 0; });
}

/// No layer is without any bias, nor are all of its biases zero.
void check_biases(const Layers& layers, Deviations& all) {
  for (const auto* group : {&layers.convolutions, &layers.dense, &layers.ends})
    for (const auto& [layer, name] : *group) {
      const bool none = !layer->parts.bias && !layer->parts.shift;
      if (none || all_zero(layer->bias))
        add(all, *layer->layer.fact, none ? "no bias at all in " + name : "only zeros as the bias of " + name,
            "a bias, or the shift of a batch norm");
    }
}

/// Stem and head have a bias of their own, then the same batch norm as the blocks; or one bias in all.
void check_ends(const Layers& layers, Deviations& all) {
  const LayerParts usual = layers.convolutions.front().layer->parts;
  for (const auto& [layer, name] : layers.ends) {
    const LayerParts& parts = layer->parts;
    if (parts.order != usual.order)
      add(all, *layer->layer.fact, "the parts of " + name + ": " + convert::to_string(parts),
          convert::to_string(usual) + ", as in the blocks");
    const bool own = parts.bias && !all_zero(layer->layer.bias);
    if (parts.scale && !own)
      add(all, *layer->layer.fact,
          name + " with " + (parts.bias ? "zeros for its own bias" : "no bias of its own") +
              " before its batch norm",
          "its own bias, as stem and last convolution of Perch v2 have");
  }
}

/// Layers of one kind are written with the same parts, and none is without any bias.
void check_parts(const PerchMatch& match, Deviations& all) {
  const Layers layers = layers_of(match);
  check_biases(layers, all);
  const auto show = [](const LayerParts& parts) { return convert::to_string(parts); };
  check_alike(parts_of(layers.convolutions), "the parts", show, all);
  check_alike(parts_of(layers.dense), "the parts", show, all);
  check_ends(layers, all);
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
  for (std::size_t i = 0; i < std::size(stages) && has_released_width(match); ++i)
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
