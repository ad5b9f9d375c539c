// Tensor: named, shared float arrays, what models of every kind are made of, and the check that a model has
// exactly the ones it needs.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
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
#include "pantanal/core/half.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/core/shape.hpp"

namespace pantanal {

/// How many scales an int8 tensor of `shape` has: the output channels of a convolution's [out, in, height,
/// width], and otherwise the rows along the last axis.
inline std::size_t count_scales(const Shape& shape) {
  if (shape.empty()) return 1;
  std::size_t count = 1;
  for (std::size_t axis = 0; axis < (shape.size() == 4 ? 1 : shape.size() - 1); ++axis)
    count *= static_cast<std::size_t>(shape[axis]);
  return count;
}

/// A dense, row-major float tensor; copies share the values.
struct Tensor {
  Shape shape;
  std::span<const float> values;        ///< empty if `dtype` is not f32
  std::shared_ptr<const void> storage;  ///< keeps the spans alive: a mapped file or a vector
  bool is_mapped = false;               ///< a file's: see pantanal/io/page_release.hpp
  Dtype dtype = Dtype::f32;
  std::span<const std::uint16_t> halves = {};  ///< the values, if `dtype` is a 16-bit one
  std::span<const std::int8_t> quanta = {};    ///< if `dtype` is i8: value i is quanta[i] times its scale
  std::span<const float> scales = {};          ///< count_scales(shape), each for equally many values

  bool is_narrow() const { return dtype != Dtype::f32; }
  std::size_t size() const {
    return dtype == Dtype::i8 ? quanta.size() : is_narrow() ? halves.size() : values.size();
  }
  /// Without the scales.
  std::span<const std::byte> bytes() const {
    if (dtype == Dtype::i8) return std::as_bytes(quanta);
    return is_narrow() ? std::as_bytes(halves) : std::as_bytes(values);
  }
  /// Value i as float32.
  float at(std::size_t i) const {
    if (dtype == Dtype::i8) return static_cast<float>(quanta[i]) * scales[i / (size() / scales.size())];
    return is_narrow() ? from_half(halves[i], dtype) : values[i];
  }
};

using TensorMap = std::map<std::string, Tensor, std::less<>>;

/// A tensor that owns `values`, whose number must be the product of `shape` (validate() finds out).
inline Tensor make_tensor(Shape shape, std::vector<float> values) {
  auto owned = std::make_shared<const std::vector<float>>(std::move(values));
  const std::span<const float> view(*owned);
  return {std::move(shape), view, std::move(owned), false};
}

/// An int8 tensor that owns its values.
inline Tensor make_int8_tensor(Shape shape, std::vector<std::int8_t> quanta, std::vector<float> scales) {
  using Owned = std::pair<std::vector<std::int8_t>, std::vector<float>>;
  auto owned = std::make_shared<const Owned>(std::move(quanta), std::move(scales));
  const std::span<const std::int8_t> values(owned->first);
  const std::span<const float> factors(owned->second);
  return {std::move(shape), {}, std::move(owned), false, Dtype::i8, {}, values, factors};
}

/// Values [begin, begin + quanta.size()) of `tensor` in multiples, from -127 to 127, of a 127th of their
/// largest magnitude, which it returns; it is infinite, and the multiples 0, where not all of them are
/// finite.
inline float quantize_values(const Tensor& tensor, std::size_t begin, std::span<std::int8_t> quanta) {
  float largest = 0;
  for (std::size_t i = 0; i < quanta.size() && largest < HUGE_VALF; ++i) {
    const float magnitude = std::abs(tensor.at(begin + i));
    largest = std::isfinite(magnitude) ? std::max(largest, magnitude) : HUGE_VALF;
  }
  const float scale = largest / 127;
  const bool usual = scale != 0 && scale != HUGE_VALF;
  for (std::size_t i = 0; i < quanta.size(); ++i)
    quanta[i] = usual ? static_cast<std::int8_t>(
                            std::clamp(std::nearbyint(tensor.at(begin + i) / scale), -127.0f, 127.0f))
                      : std::int8_t{0};
  return scale;
}

/// Each row of `tensor` so. A row that is not finite gets an infinite scale (validate() finds out).
inline Tensor quantize_tensor(const Tensor& tensor) {
  const std::size_t rows = count_scales(tensor.shape), depth = rows == 0 ? 0 : tensor.size() / rows;
  std::vector<std::int8_t> quanta(tensor.size());
  std::vector<float> scales(rows);
  for (std::size_t r = 0; r < rows; ++r)
    scales[r] = quantize_values(tensor, r * depth, std::span(quanta).subspan(r * depth, depth));
  return make_int8_tensor(tensor.shape, std::move(quanta), std::move(scales));
}

/// `tensor` rounded to `dtype`, or the same in float32. Values beyond the dtype's largest become infinite
/// (validate() finds out).
inline Tensor convert_tensor(const Tensor& tensor, Dtype dtype) {
  if (tensor.dtype == dtype) return tensor;
  if (dtype == Dtype::f32) {
    std::vector<float> wide(tensor.size());
    for (std::size_t i = 0; i < wide.size(); ++i) wide[i] = tensor.at(i);
    return make_tensor(tensor.shape, std::move(wide));
  }
  if (dtype == Dtype::i8) return quantize_tensor(tensor);
  auto owned = std::make_shared<std::vector<std::uint16_t>>(tensor.size());
  for (std::size_t i = 0; i < owned->size(); ++i) (*owned)[i] = to_half(tensor.at(i), dtype);
  const std::span<const std::uint16_t> view(*owned);
  return {tensor.shape, {}, std::move(owned), false, dtype, view};
}

/// The values of `tensors`' entry `name`; empty if there is none or if it is narrow.
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

/// Whether no value of `tensor` is NaN or infinite; of int8 ones, none that its scales allow.
inline bool all_finite(const Tensor& tensor) {
  if (tensor.dtype == Dtype::i8)
    return std::all_of(tensor.scales.begin(), tensor.scales.end(),
                       [](float scale) { return std::isfinite(scale * 128); });
  return tensor.is_narrow() ? all_finite(tensor.halves, tensor.dtype) : all_finite(tensor.values);
}

/// Whether `tensor` has the shape that `spec` asks for and finite values; `where` names it.
inline Status validate(const Tensor& tensor, const TensorSpec& spec, std::string where) {
  if (tensor.shape != spec.shape)
    return Error{ErrorCode::mismatch, std::move(where), to_string(tensor.shape), to_string(spec.shape)};
  if (static_cast<std::int64_t>(tensor.size()) != element_count(spec.shape))
    return Error{ErrorCode::mismatch, std::move(where), std::to_string(tensor.size()) + " values",
                 "as many as " + to_string(spec.shape) + " holds"};
  if (tensor.dtype == Dtype::i8 && tensor.scales.size() != count_scales(spec.shape))
    return Error{ErrorCode::mismatch, std::move(where), std::to_string(tensor.scales.size()) + " scales",
                 std::to_string(count_scales(spec.shape))};
  if (!all_finite(tensor))
    return Error{ErrorCode::corrupt, std::move(where), "NaN or infinity", "finite values"};
  return {};
}

/// Whether `tensors` are exactly those that `specs` ask for. `where` starts the error's, e.g. a file's name.
/// `checked`, if any, is called with each tensor whose values have been read.
inline Status validate(const TensorMap& tensors, const std::vector<TensorSpec>& specs,
                       std::string_view where = {}, void (*checked)(const Tensor&) = nullptr) {
  const std::string prefix = where.empty() ? std::string() : std::string(where) + ": ";
  std::set<std::string_view> known;
  for (const TensorSpec& spec : specs) {
    known.insert(spec.name);
    const auto found = tensors.find(spec.name);
    if (found == tensors.end())
      return Error{ErrorCode::not_found, prefix + spec.name, "no such tensor", to_string(spec.shape)};
    PANTANAL_TRY_STATUS(validate(found->second, spec, prefix + spec.name));
    if (checked) checked(found->second);
  }
  for (const auto& [name, tensor] : tensors)
    if (!known.contains(name))
      return Error{ErrorCode::mismatch, prefix + name, "a tensor " + to_string(tensor.shape),
                   "no tensor of this name in this architecture"};
  return {};
}

}  // namespace pantanal
