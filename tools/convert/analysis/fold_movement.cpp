#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <string_view>
#include <utility>

#include "analysis/fold_constants.hpp"
#include "analysis/shape_rules.hpp"
#include "analysis/strided.hpp"

namespace pantanal::convert {
namespace {

/// ONNX's numbers of element types.
enum ElementType { float32 = 1, boolean = 9, float64 = 11 };

/// The first input; fold_movement() has seen that it is there and known.
const Known& data(const NodeView& node) { return *node.inputs().front()->known; }

Folded same(const NodeView& node) { return std::vector{data(node)}; }

/// A real number as the integer it is cut to.
std::optional<Dim> truncated(double value) {
  if (!(std::abs(value) < 9e18)) return std::nullopt;
  return Dim{static_cast<std::int64_t>(value)};
}

Folded cast_to_integers(const Known& known, bool to_boolean) {
  Dims integers;
  for (std::size_t i = 0; i < known.size(); ++i) {
    const auto value = known.is_real() ? truncated(known.real(i)) : std::optional(known.integers()[i]);
    if (!value || (to_boolean && !value->is_fixed())) return unknown();
    integers.push_back(to_boolean ? Dim{known.is_real() ? known.real(i) != 0 : value->fixed != 0} : *value);
  }
  Known cast = make_known(known.shape, std::move(integers));
  cast.extents = known.extents;
  return std::vector{std::move(cast)};
}

Folded cast_to_reals(const Known& known, bool to_float) {
  std::vector<double> reals;
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (!known.is_real() && !known.integers()[i].is_fixed()) return unknown();
    reals.push_back(known.is_real() ? known.real(i) : static_cast<double>(known.integers()[i].fixed));
  }
  Known cast = to_float ? make_known(known.shape, std::vector<float>(reals.begin(), reals.end()))
                        : make_known(known.shape, std::move(reals));
  cast.extents = known.extents;
  return std::vector{std::move(cast)};
}

Folded cast(const NodeView& node) {
  PANTANAL_TRY(const std::int64_t type, node.required_integer("to"));
  const Known& known = data(node);
  constexpr std::int64_t integer_types[] = {2, 3, 4, 5, 6, 7, 12, 13};
  if (type == boolean) return cast_to_integers(known, true);
  if (std::find(std::begin(integer_types), std::end(integer_types), type) != std::end(integer_types))
    return cast_to_integers(known, false);
  if (type != float32 && type != float64) return unknown();  // half precision rounds: not computed here
  if (known.is_real() && (type == float64 || std::holds_alternative<Known::Floats>(known.elements)))
    return same(node);
  return cast_to_reals(known, type == float32);
}

Folded transpose(const NodeView& node) {
  const Known& known = data(node);
  PANTANAL_TRY(const AxisList order, permutation(node, known.shape.size()));
  const Shape shape = permuted(known.shape, order);
  Known moved = with_elements(known, shape, [&](const auto& values) {
    return strided_copy(values, shape, permuted(dense_strides(known.shape), order));
  });
  moved.extents = permuted(known.extents, order);
  return std::vector{std::move(moved)};
}

/// The same elements in other dimensions; elements are shared.
Known relabelled(const Known& known, Shape shape, Dims extents) {
  return {std::move(shape), std::move(extents), known.elements};
}

Folded reshape(const NodeView& node) {
  PANTANAL_TRY(const Dims extents, reshaped_extents(node, data(node).extents));
  if (data(node).size() == 1) return std::vector{relabelled(data(node), Shape(extents.size(), 1), extents)};
  const auto whole = written_out(data(node));
  const auto shape = fixed_shape(extents);
  return whole && shape ? Folded(std::vector{relabelled(*whole, *shape, extents)}) : unknown();
}

Folded squeeze(const NodeView& node) {
  const Known& known = data(node);
  PANTANAL_TRY(const AxisList axes, squeezed_axes(node, known.extents));
  return std::vector{relabelled(known, without(known.shape, axes), without(known.extents, axes))};
}

Folded unsqueeze(const NodeView& node) {
  const Known& known = data(node);
  PANTANAL_TRY(const AxisList axes, unsqueezed_axes(node, known.shape.size()));
  return std::vector{
      relabelled(known, with(known.shape, axes, std::int64_t{1}), with(known.extents, axes, Dim{1}))};
}

Folded expand(const NodeView& node) {
  const Known& known = data(node);
  PANTANAL_TRY(const Dims extents, expanded_extents(node, known.extents));
  Shape shape(extents.size() - known.shape.size(), 1);
  shape.insert(shape.end(), known.shape.begin(), known.shape.end());
  return std::vector{relabelled(known, std::move(shape), extents)};
}

/// The elements of one range; the rest of the axes stay whole.
Known cut(const Known& known, const AxisRange& range) {
  Shape shape = known.shape;
  std::vector<std::int64_t> strides = dense_strides(known.shape);
  const std::int64_t start = range.start * strides[range.axis];
  shape[range.axis] = range.count;
  strides[range.axis] *= range.step;
  return with_elements(known, shape,
                       [&](const auto& values) { return strided_copy(values, shape, strides, start); });
}

Folded slice(const NodeView& node) {
  auto known = written_out(data(node));
  if (!known) return unknown();
  PANTANAL_TRY(const std::vector<AxisRange> ranges, slice_ranges(node, known->extents));
  for (const AxisRange& range : ranges) known = cut(*known, range);
  return std::vector{std::move(*known)};
}

Folded split(const NodeView& node) {
  const auto known = written_out(data(node));
  if (!known) return unknown();
  PANTANAL_TRY(const std::vector<AxisRange> ranges, split_ranges(node, known->extents));
  std::vector<Known> parts;
  for (const AxisRange& range : ranges) parts.push_back(cut(*known, range));
  return parts;
}

Folded gather(const NodeView& node) {
  const auto known = written_out(data(node));
  const Fact* const index_input = node.optional_input(1);
  const auto indices = index_input ? written_out(*index_input->known) : std::nullopt;
  if (!known || !indices || indices->is_real()) return unknown();
  PANTANAL_TRY(const std::int64_t axis_number, node.integer("axis", 0));
  PANTANAL_TRY(const std::size_t axis, node.axis(axis_number, known->shape.size()));
  const std::int64_t extent = known->shape[axis];
  std::vector<std::int64_t> at;
  for (const Dim& index : indices->integers()) {
    const std::int64_t i = index.fixed < 0 ? index.fixed + extent : index.fixed;
    if (!index.is_fixed() || i < 0 || i >= extent)
      return node.error("index " + std::to_string(index.fixed),
                        "one of " + std::to_string(extent) + " elements", ErrorCode::mismatch);
    at.push_back(i);
  }
  const Shape before(known->shape.begin(), known->shape.begin() + static_cast<std::ptrdiff_t>(axis));
  const std::int64_t inner = dense_strides(known->shape)[axis];
  const std::int64_t outer = element_count(before).value_or(0);
  Shape shape = before;
  shape.insert(shape.end(), indices->shape.begin(), indices->shape.end());
  shape.insert(shape.end(), known->shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, known->shape.end());
  const auto count = element_count(shape);
  if (!count || *count > 1 << 28) return unknown();
  return std::vector{with_elements(*known, shape, [&](const auto& values) {
    std::remove_cvref_t<decltype(values)> gathered;
    for (std::int64_t o = 0; o < outer && !values.empty(); ++o)
      for (const std::int64_t i : at) {
        const auto begin = values.begin() + (o * extent + i) * inner;
        gathered.insert(gathered.end(), begin, begin + inner);
      }
    return gathered;
  })};
}

/// Known with its elements as double, if they are real.
Known widened(Known known) {
  if (!std::holds_alternative<Known::Floats>(known.elements)) return known;
  const auto& floats = *std::get<Known::Floats>(known.elements);
  return make_known(known.shape, std::vector<double>(floats.begin(), floats.end()));
}

Folded concat(const NodeView& node) {
  std::vector<Known> parts;
  for (const Fact* input : node.inputs()) {
    const auto part = input ? written_out(*input->known) : std::nullopt;
    if (!part) return unknown();
    parts.push_back(*part);
  }
  PANTANAL_TRY(const std::int64_t axis_number, node.required_integer("axis"));
  PANTANAL_TRY(const std::size_t axis, node.axis(axis_number, parts.front().shape.size()));
  const auto differs = [&](const Known& part) {
    return part.elements.index() != parts.front().elements.index();
  };
  if (std::any_of(parts.begin(), parts.end(), differs))
    for (Known& part : parts) part = widened(std::move(part));
  Shape shape = parts.front().shape;
  shape[axis] = 0;
  for (const Known& part : parts) {
    Shape other = part.shape;
    if (other.size() != shape.size() || differs(part))
      return node.error("inputs of unequal rank or type", "alike inputs", ErrorCode::mismatch);
    shape[axis] += std::exchange(other[axis], shape[axis]);
    if (other[axis] = shape[axis]; other != shape)
      return node.error("inputs of unequal shape", "alike inputs", ErrorCode::mismatch);
  }
  const std::int64_t inner = dense_strides(shape)[axis], rows = shape[axis] * inner;
  const std::int64_t outer = rows ? element_count(shape).value_or(0) / rows : 0;
  return std::vector{with_elements(parts.front(), shape, [&](const auto& first) {
    using Elements = std::remove_cvref_t<decltype(first)>;
    Elements joined;
    for (std::int64_t o = 0; o < outer; ++o)
      for (const Known& part : parts) {
        const auto& values = *std::get<std::shared_ptr<const Elements>>(part.elements);
        const std::int64_t length = part.shape[axis] * inner;
        joined.insert(joined.end(), values.begin() + o * length, values.begin() + (o + 1) * length);
      }
    return joined;
  })};
}

}  // namespace

Folded fold_movement(const NodeView& node) {
  static const std::map<std::string_view, Folded (*)(const NodeView&)> rules = {
      {"Cast", cast},           {"Concat", concat}, {"Dropout", same},    {"Expand", expand},
      {"Flatten", reshape},     {"Gather", gather}, {"Identity", same},   {"Reshape", reshape},
      {"Slice", slice},         {"Split", split},   {"Squeeze", squeeze}, {"Transpose", transpose},
      {"Unsqueeze", unsqueeze},
  };
  const auto rule = rules.find(node.node().op);
  if (rule == rules.end()) return unknown();
  PANTANAL_TRY_STATUS(node.input(0));
  return rule->second(node);
}

}  // namespace pantanal::convert
