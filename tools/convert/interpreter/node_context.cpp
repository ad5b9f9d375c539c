#include "interpreter/node_context.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "interpreter/tensor.hpp"
#include "onnx/node_message.hpp"

namespace pantanal::convert::interpreter {
namespace {

/// Which alternative of Attribute is held, in ONNX's words.
std::string type_of(const Attribute& attribute) {
  constexpr const char* names[] = {"an integer", "a float", "a string", "integers", "floats", "a tensor"};
  static_assert(std::size(names) == std::variant_size_v<Attribute>);
  return names[attribute.index()];
}

}  // namespace

Error NodeContext::error(ErrorCode code, std::string found, std::string expected) const {
  return node_error(*node_, std::move(found), std::move(expected), code);
}

Error NodeContext::attribute_error(std::string_view attribute, std::string found,
                                   std::string expected) const {
  return error(ErrorCode::unsupported, "attribute " + std::string(attribute) + " = " + found,
               std::move(expected));
}

const Attribute* NodeContext::find(std::string_view attribute) const {
  const auto it = node_->attributes.find(std::string(attribute));
  return it == node_->attributes.end() ? nullptr : &it->second;
}

template <class T>
Result<const T*> NodeContext::get(std::string_view attribute, const char* type) const {
  const Attribute* held = find(attribute);
  if (!held) return static_cast<const T*>(nullptr);
  if (const T* value = std::get_if<T>(held)) return value;
  return error(ErrorCode::corrupt, "attribute " + std::string(attribute) + " holding " + type_of(*held),
               type);
}

Result<std::int64_t> NodeContext::integer(std::string_view attribute, std::int64_t fallback) const {
  PANTANAL_TRY(const std::int64_t* value, get<std::int64_t>(attribute, "an integer"));
  return value ? *value : fallback;
}

Result<std::int64_t> NodeContext::required_integer(std::string_view attribute) const {
  if (!has(attribute))
    return error(ErrorCode::corrupt, "no attribute " + std::string(attribute), "it, an integer");
  return integer(attribute, 0);
}

Result<float> NodeContext::real(std::string_view attribute, float fallback) const {
  PANTANAL_TRY(const float* value, get<float>(attribute, "a float"));
  return value ? *value : fallback;
}

Result<std::string> NodeContext::text(std::string_view attribute, std::string fallback) const {
  PANTANAL_TRY(const std::string* value, get<std::string>(attribute, "a string"));
  return value ? *value : std::move(fallback);
}

Result<std::optional<std::vector<std::int64_t>>> NodeContext::integers(std::string_view attribute) const {
  PANTANAL_TRY(const auto* value, get<std::vector<std::int64_t>>(attribute, "integers"));
  return value ? std::optional(*value) : std::nullopt;
}

Result<const Constant*> NodeContext::constant(std::string_view attribute) const {
  return get<Constant>(attribute, "a tensor");
}

Result<std::size_t> NodeContext::size_of(const Shape& shape) const {
  const std::optional<std::int64_t> count = bounded_count(shape, max_elements_);
  if (count) return static_cast<std::size_t>(*count);
  return error(
      ErrorCode::unsupported, "an output of shape " + to_string(shape),
      "no negative extent and at most " + std::to_string(max_elements_) + " more elements in memory");
}

Status NodeContext::check_work(std::initializer_list<std::int64_t> extents) const {
  constexpr double operations_per_element = 2048;  // 2^40 in all while memory is free
  double operations = 1;
  for (const std::int64_t extent : extents)
    operations *= static_cast<double>(std::max<std::int64_t>(extent, 1));
  if (operations <= operations_per_element * static_cast<double>(max_elements_)) return {};
  return error(ErrorCode::unsupported, std::to_string(operations) + " operations",
               "a node that can be computed in minutes; a smaller batch may do");
}

Result<std::size_t> NodeContext::axis(std::int64_t axis, std::size_t rank) const {
  const auto n = static_cast<std::int64_t>(rank);
  if (axis < -n || axis >= n)
    return error(ErrorCode::mismatch, "axis " + std::to_string(axis),
                 "one of " + std::to_string(n) + " axes");
  return static_cast<std::size_t>(axis < 0 ? axis + n : axis);
}

Result<std::vector<std::size_t>> NodeContext::axes(const std::vector<std::int64_t>& axes,
                                                   std::size_t rank) const {
  std::vector<std::size_t> all;
  for (const std::int64_t each : axes) {
    PANTANAL_TRY(const std::size_t index, axis(each, rank));
    if (std::find(all.begin(), all.end(), index) != all.end())
      return error(ErrorCode::mismatch, "axis " + std::to_string(each) + " twice", "each axis once");
    all.push_back(index);
  }
  return all;
}

}  // namespace pantanal::convert::interpreter
