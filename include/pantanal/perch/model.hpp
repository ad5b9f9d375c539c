// Model: an architecture and its weights in memory, and the one list of the tensors an architecture needs.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/finite.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/core/shape.hpp"
#include "pantanal/perch/architecture.hpp"
#include "pantanal/perch/architecture_validation.hpp"

namespace pantanal::perch {

/// A dense, row-major float tensor; copies share the values.
struct Tensor {
  Shape shape;
  std::span<const float> values;
  std::shared_ptr<const void> storage;  ///< keeps `values` alive: a mapped file or a vector
};

/// A tensor that owns `values`, whose number must be the product of `shape` (validate() finds out).
inline Tensor make_tensor(Shape shape, std::vector<float> values) {
  auto owned = std::make_shared<const std::vector<float>>(std::move(values));
  const std::span<const float> view(*owned);
  return {std::move(shape), view, std::move(owned)};
}

/// The file that a model was converted from.
struct Source {
  std::string file;    ///< its name, without folders
  std::string sha256;  ///< 64 hexadecimal digits
  std::string kind;    ///< "onnx", "savedmodel", ...
  bool operator==(const Source&) const = default;
};

/// A model that can be run, saved and subset. Tensors have PyTorch's layouts (see required_tensors),
/// BatchNorm folded in.
struct Model {
  Architecture architecture;
  std::vector<std::string> labels;  ///< one name per row of the label head
  Source source;
  std::map<std::string, Tensor, std::less<>> tensors;

  /// The values of a tensor; empty if there is none of that name.
  std::span<const float> values(std::string_view name) const {
    const auto found = tensors.find(name);
    return found == tensors.end() ? std::span<const float>() : found->second.values;
  }
};

/// A tensor's name and shape.
struct TensorSpec {
  std::string name;
  Shape shape;
};

namespace detail {

/// Collects specs, turning unsigned extents into Shape's signed ones.
class TensorList {
 public:
  void add(std::string name, std::initializer_list<std::size_t> extents) {
    specs_.push_back({std::move(name), Shape(extents.begin(), extents.end())});
  }
  void add_layer(const std::string& name, std::initializer_list<std::size_t> weight_extents) {
    add(name + ".weight", weight_extents);
    add(name + ".bias", {*weight_extents.begin()});
  }
  std::vector<TensorSpec> take() && { return std::move(specs_); }

 private:
  std::vector<TensorSpec> specs_;
};

}  // namespace detail

/// Every tensor that `architecture` needs, in the order of the forward pass. The architecture must be valid.
inline std::vector<TensorSpec> required_tensors(const Architecture& architecture) {
  const Frontend& frontend = architecture.frontend;
  const Stem& stem = architecture.stem;
  detail::TensorList list;
  list.add("frontend.window", {frontend.frame_length});
  list.add("frontend.mel", {frontend.bins(), frontend.mel_bands});
  list.add_layer("stem", {stem.channels, 1, stem.conv.kernel, stem.conv.kernel});
  std::size_t channels = stem.channels;
  for (std::size_t i = 0; i < architecture.blocks.size(); ++i) {
    const Block& block = architecture.blocks[i];
    const std::string name = "blocks." + std::to_string(i);
    const std::size_t expanded = block.expanded_channels, kernel = block.depthwise.kernel;
    if (block.has_expand) list.add_layer(name + ".expand", {expanded, block.in_channels, 1, 1});
    list.add_layer(name + ".depthwise", {expanded, 1, kernel, kernel});
    list.add_layer(name + ".se.reduce", {block.se_channels, expanded});
    list.add_layer(name + ".se.expand", {expanded, block.se_channels});
    list.add_layer(name + ".project", {block.out_channels, expanded, 1, 1});
    channels = block.out_channels;
  }
  list.add_layer("head", {architecture.head.channels, channels, 1, 1});
  if (const LabelHead& label = architecture.label; label.classes > 0) {
    list.add("label.prototypes", {label.classes, label.prototypes, architecture.head.channels});
    list.add("label.scale", {label.classes, label.prototypes});
    list.add("label.bias", {label.classes});
  }
  return std::move(list).take();
}

namespace detail {

/// Whether `tensor` is what `spec` asks for; `where` names it.
inline Status validate(const Tensor& tensor, const TensorSpec& spec, std::string where) {
  if (tensor.shape != spec.shape)
    return Error{ErrorCode::mismatch, std::move(where), to_string(tensor.shape), to_string(spec.shape)};
  if (static_cast<std::int64_t>(tensor.values.size()) != element_count(spec.shape))
    return Error{ErrorCode::mismatch, std::move(where), std::to_string(tensor.values.size()) + " values",
                 "as many as " + to_string(spec.shape) + " holds"};
  if (!all_finite(tensor.values))
    return Error{ErrorCode::corrupt, std::move(where), "NaN or infinity", "finite values"};
  return {};
}

}  // namespace detail

/// Whether `model` can be run: its architecture is valid, it has one label per class, and exactly the tensors
/// of required_tensors(), of those shapes and with finite values. `where` starts the error's, e.g. a file's
/// name.
inline Status validate(const Model& model, std::string_view where = {}) {
  PANTANAL_TRY_STATUS(validate(model.architecture, where));
  const std::string prefix = where.empty() ? std::string() : std::string(where) + ": ";
  if (model.labels.size() != model.architecture.label.classes)
    return Error{ErrorCode::mismatch, prefix + "labels", std::to_string(model.labels.size()) + " names",
                 std::to_string(model.architecture.label.classes) + ", one per class"};
  const std::vector<TensorSpec> specs = required_tensors(model.architecture);
  std::set<std::string_view> known;
  for (const TensorSpec& spec : specs) {
    known.insert(spec.name);
    const auto found = model.tensors.find(spec.name);
    if (found == model.tensors.end())
      return Error{ErrorCode::not_found, prefix + spec.name, "no such tensor", to_string(spec.shape)};
    PANTANAL_TRY_STATUS(detail::validate(found->second, spec, prefix + spec.name));
  }
  for (const auto& [name, tensor] : model.tensors)
    if (!known.contains(name))
      return Error{ErrorCode::mismatch, prefix + name, "a tensor " + to_string(tensor.shape),
                   "no tensor of this name in this architecture"};
  return {};
}

}  // namespace pantanal::perch
