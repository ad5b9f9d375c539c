// Model: an architecture and its weights in memory, and the one list of the tensors an architecture needs.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/core/tensor.hpp"
#include "pantanal/perch/architecture.hpp"
#include "pantanal/perch/architecture_validation.hpp"

namespace pantanal::perch {

using pantanal::make_tensor;
using pantanal::Tensor;
using pantanal::TensorSpec;

/// The file that a model was converted from.
struct Source {
  std::string file;    ///< its name, without folders
  std::string sha256;  ///< 64 hexadecimal digits
  std::string kind;    ///< "onnx", "savedmodel", ...
  bool operator==(const Source&) const = default;
};

/// A model that can be run, saved and subset. Tensors have PyTorch's layouts (see required_tensors),
/// BatchNorm folded in. The large ones may be narrow (see may_be_narrow()); whoever reads values() needs them
/// wide.
struct Model {
  Architecture architecture;
  std::vector<std::string> labels;  ///< one name per row of the label head
  Source source;
  TensorMap tensors;

  /// The values of a tensor; empty if there is none of that name or it is narrow.
  std::span<const float> values(std::string_view name) const { return tensor_values(tensors, name); }
};

/// Whether the tensor `name` may be stored in 16 or 8 bits: weights of the wide products, nine tenths of all.
/// The front end, stem, depthwise convolutions, squeeze-and-excite, scales and biases stay float32.
inline bool may_be_narrow(std::string_view name) {
  return name == "head.weight" || name == "label.prototypes" || name.ends_with(".project.weight") ||
         (name.ends_with(".expand.weight") && !name.ends_with(".se.expand.weight"));
}

/// `model` with what may be narrow rounded to `dtype`, or all of it in float32. Values are shared where they
/// stay.
inline Model with_dtype(const Model& model, Dtype dtype) {
  Model converted = model;
  for (auto& [name, tensor] : converted.tensors)
    if (may_be_narrow(name)) tensor = convert_tensor(tensor, dtype);
  return converted;
}

/// Every tensor that `architecture` needs, in the order of the forward pass. The architecture must be valid.
inline std::vector<TensorSpec> required_tensors(const Architecture& architecture) {
  const Frontend& frontend = architecture.frontend;
  const Stem& stem = architecture.stem;
  TensorList list;
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

/// Whether `model` can be run: its architecture is valid, it has one label per class, and exactly the tensors
/// of required_tensors(), of those shapes and with finite values. `where` starts the error's, e.g. a file's
/// name. `checked` as of the validate() of tensors.
inline Status validate(const Model& model, std::string_view where = {},
                       void (*checked)(const Tensor&) = nullptr) {
  PANTANAL_TRY_STATUS(validate(model.architecture, where));
  const std::string prefix = where.empty() ? std::string() : std::string(where) + ": ";
  if (model.labels.size() != model.architecture.label.classes)
    return Error{ErrorCode::mismatch, prefix + "labels", std::to_string(model.labels.size()) + " names",
                 std::to_string(model.architecture.label.classes) + ", one per class"};
  for (const auto& [name, tensor] : model.tensors)
    if (tensor.is_narrow() && !may_be_narrow(name))
      return Error{ErrorCode::mismatch, prefix + name, to_string(tensor.dtype), "F32"};
  return pantanal::validate(model.tensors, required_tensors(model.architecture), where, checked);
}

}  // namespace pantanal::perch
