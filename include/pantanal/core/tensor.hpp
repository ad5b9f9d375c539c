// Tensor: named, shared float arrays, what models of every kind are made of, and the check that a model has
// exactly the ones it needs.
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

namespace pantanal {

/// A dense, row-major float tensor; copies share the values.
struct Tensor {
  Shape shape;
  std::span<const float> values;
  std::shared_ptr<const void> storage;  ///< keeps `values` alive: a mapped file or a vector
  bool is_mapped = false;               ///< a file's: see pantanal/io/page_release.hpp
};

using TensorMap = std::map<std::string, Tensor, std::less<>>;

/// A tensor that owns `values`, whose number must be the product of `shape` (validate() finds out).
inline Tensor make_tensor(Shape shape, std::vector<float> values) {
  auto owned = std::make_shared<const std::vector<float>>(std::move(values));
  const std::span<const float> view(*owned);
  return {std::move(shape), view, std::move(owned), false};
}

/// The values of `tensors`' entry `name`; empty if there is none.
inline std::span<const float> tensor_values(const TensorMap& tensors, std::string_view name) {
  const auto found = tensors.find(name);
  return found == tensors.end() ? std::span<const float>() : found->second.values;
}

/// A tensor's name and shape.
struct TensorSpec {
  std::string name;
  Shape shape;
};

/// Collects specs, turning unsigned extents into Shape's signed ones.
class TensorList {
 public:
  void add(std::string name, std::initializer_list<std::size_t> extents) {
    specs_.push_back({std::move(name), Shape(extents.begin(), extents.end())});
  }
  /// NAME.weight and NAME.bias, a bias per row of the weight.
  void add_layer(const std::string& name, std::initializer_list<std::size_t> weight_extents) {
    add(name + ".weight", weight_extents);
    add(name + ".bias", {*weight_extents.begin()});
  }
  std::vector<TensorSpec> take() && { return std::move(specs_); }

 private:
  std::vector<TensorSpec> specs_;
};

/// Whether `tensor` has the shape that `spec` asks for and finite values; `where` names it.
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

/// Whether `tensors` are exactly those that `specs` ask for. `where` starts the error's, e.g. a file's name.
inline Status validate(const TensorMap& tensors, const std::vector<TensorSpec>& specs,
                       std::string_view where = {}) {
  const std::string prefix = where.empty() ? std::string() : std::string(where) + ": ";
  std::set<std::string_view> known;
  for (const TensorSpec& spec : specs) {
    known.insert(spec.name);
    const auto found = tensors.find(spec.name);
    if (found == tensors.end())
      return Error{ErrorCode::not_found, prefix + spec.name, "no such tensor", to_string(spec.shape)};
    PANTANAL_TRY_STATUS(validate(found->second, spec, prefix + spec.name));
  }
  for (const auto& [name, tensor] : tensors)
    if (!known.contains(name))
      return Error{ErrorCode::mismatch, prefix + name, "a tensor " + to_string(tensor.shape),
                   "no tensor of this name in this architecture"};
  return {};
}

}  // namespace pantanal
