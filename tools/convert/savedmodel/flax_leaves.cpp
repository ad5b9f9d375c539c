#include "savedmodel/flax_leaves.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <utility>

#include "pantanal/perch/architecture_validation.hpp"
#include "released_architecture.hpp"

namespace pantanal::convert {
namespace {

/// Collects leaves by path, which sorts them.
class LeafTree {
 public:
  void add(std::string path, std::initializer_list<std::size_t> extents) {
    leaves_.emplace(std::move(path), Shape(extents.begin(), extents.end()));
  }

  /// A convolution without bias and the BatchNorm behind it.
  void add_conv(const std::string& conv, const std::string& norm, std::size_t kernel, std::size_t in,
                std::size_t out) {
    add("params/" + conv + "/kernel", {kernel, kernel, in, out});
    for (const char* leaf : {"mean", "var"}) add("batch_stats/" + norm + "/" + leaf, {out});
    for (const char* leaf : {"bias", "scale"}) add("params/" + norm + "/" + leaf, {out});
  }

  void add_dense(const std::string& name, std::size_t in, std::size_t out) {
    add("params/" + name + "/kernel", {in, out});
    add("params/" + name + "/bias", {out});
  }

  std::vector<FlaxLeaf> sorted() const {
    std::vector<FlaxLeaf> leaves;
    for (const auto& [path, shape] : leaves_) leaves.push_back({path, shape});
    return leaves;
  }

 private:
  std::map<std::string, Shape> leaves_;
};

/// Looks widths up in the leaves that define them, or in the released model's where a leaf is of another
/// kind.
class WidthReader {
 public:
  WidthReader(const std::vector<FlaxLeaf>& released, const std::vector<Shape>& shapes) {
    for (std::size_t i = 0; i < released.size(); ++i) {
      const bool same_kind = shapes[i].size() == released[i].shape.size() &&
                             std::ranges::all_of(shapes[i], [](std::int64_t extent) { return extent > 0; });
      shapes_.emplace(released[i].path, same_kind ? shapes[i] : released[i].shape);
    }
  }

  std::size_t extent(const std::string& path, std::size_t axis) const {
    return static_cast<std::size_t>(shapes_.at("params/" + path)[axis]);
  }

 private:
  std::map<std::string, Shape> shapes_;
};

perch::Architecture read_widths(perch::Architecture architecture, const WidthReader& widths) {
  architecture.stem.channels = widths.extent("Stem_0/Conv/kernel", 3);
  std::size_t channels = architecture.stem.channels;
  for (std::size_t i = 0; i < architecture.blocks.size(); ++i) {
    perch::Block& block = architecture.blocks[i];
    const std::string name = "MBConv_" + std::to_string(i);
    block.in_channels = channels;
    block.expanded_channels = block.has_expand ? widths.extent(name + "/ExpandConv/kernel", 3) : channels;
    block.se_channels = widths.extent(name + "/SqueezeAndExcitation_0/Reduce/kernel", 1);
    if (!block.has_skip) channels = widths.extent(name + "/ProjectConv/kernel", 3);
    block.out_channels = channels;
  }
  architecture.head.channels = widths.extent("Head_0/Conv/kernel", 3);
  architecture.label.classes = widths.extent("head/prototypes", 0);
  architecture.label.prototypes = widths.extent("head/prototypes", 2);
  return architecture;
}

}  // namespace

std::string leaf_name(std::string_view where, std::size_t number, std::string_view path) {
  return std::string(where) + ": leaf " + std::to_string(number) + " (" + std::string(path) + ")";
}

std::vector<FlaxLeaf> flax_leaves(const perch::Architecture& architecture) {
  LeafTree tree;
  tree.add_conv("Stem_0/Conv", "Stem_0/BatchNorm", architecture.stem.conv.kernel, 1,
                architecture.stem.channels);
  std::size_t channels = architecture.stem.channels;
  for (std::size_t i = 0; i < architecture.blocks.size(); ++i) {
    const perch::Block& block = architecture.blocks[i];
    const std::string name = "MBConv_" + std::to_string(i), gate = name + "/SqueezeAndExcitation_0";
    const std::size_t expanded = block.expanded_channels;
    if (block.has_expand)
      tree.add_conv(name + "/ExpandConv", name + "/ExpandBatchNorm", 1, block.in_channels, expanded);
    // Depthwise: one input channel to each group.
    tree.add_conv(name + "/DepthwiseConv", name + "/DepthwiseBatchNorm", block.depthwise.kernel, 1, expanded);
    tree.add_dense(gate + "/Reduce", expanded, block.se_channels);
    tree.add_dense(gate + "/Expand", block.se_channels, expanded);
    tree.add_conv(name + "/ProjectConv", name + "/ProjectBatchNorm", 1, expanded, block.out_channels);
    channels = block.out_channels;
  }
  const std::size_t embedding = architecture.head.channels;
  tree.add_conv("Head_0/Conv", "Head_0/BatchNorm", 1, channels, embedding);
  const perch::LabelHead& label = architecture.label;
  tree.add("params/head/bias", {label.classes});
  tree.add("params/head/protop_kernel", {label.classes, label.prototypes});
  tree.add("params/head/prototypes", {label.classes, embedding, label.prototypes});
  return tree.sorted();
}

Result<perch::Architecture> architecture_of_leaves(const std::vector<Shape>& shapes, std::string_view where) {
  const perch::Architecture released = released_architecture();
  const std::vector<FlaxLeaf> pattern = flax_leaves(released);
  if (shapes.size() != pattern.size())
    return Error{ErrorCode::mismatch, std::string(where), std::to_string(shapes.size()) + " leaves",
                 std::to_string(pattern.size()) + " of Perch v2's Flax tree"};
  const perch::Architecture architecture = read_widths(released, WidthReader(pattern, shapes));
  const std::vector<FlaxLeaf> expected = flax_leaves(architecture);
  for (std::size_t i = 0; i < shapes.size(); ++i)
    if (shapes[i] != expected[i].shape)
      return Error{ErrorCode::mismatch, leaf_name(where, i, expected[i].path), to_string(shapes[i]),
                   to_string(expected[i].shape) + " by the widths of the kernels, " +
                       to_string(pattern[i].shape) + " in the released model"};
  PANTANAL_TRY_STATUS(perch::validate(architecture, where));
  return architecture;
}

}  // namespace pantanal::convert
