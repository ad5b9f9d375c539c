#include "analysis/shape_rules.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

namespace pantanal::convert {
namespace {

Error mismatch(const NodeView& node, std::string found, std::string expected) {
  return node.error(std::move(found), std::move(expected), ErrorCode::mismatch);
}

/// The entry of `target` that is -1 and the product of the others.
struct Inferred {
  std::optional<std::size_t> index;
  Dims others;
};

std::optional<Inferred> find_inferred(const Dims& target) {
  Inferred inferred;
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (target[i] != Dim{-1})
      inferred.others.push_back(target[i]);
    else if (std::exchange(inferred.index, i))
      return std::nullopt;
  }
  return inferred;
}

/// The range that start:end:step means on an axis of this extent; nothing if it stays whole.
Result<std::optional<AxisRange>> range_of(const NodeView& node, AxisRange range, Dim start, Dim end,
                                          Dim extent) {
  const bool whole_end = end == extent || (!extent.is_fixed() && end.is_fixed() && end.fixed >= INT32_MAX);
  if (start == Dim{0} && whole_end && range.step == 1) return std::optional<AxisRange>();
  if (!start.is_fixed() || !end.is_fixed() || !extent.is_fixed())
    return node.error("a slice whose bounds depend on the batch size", "constant bounds, or the whole batch");
  const std::int64_t size = extent.fixed, low = range.step > 0 ? 0 : -1,
                     high = range.step > 0 ? size : size - 1;
  const auto bound = [&](std::int64_t at) { return std::clamp(at < 0 ? at + size : at, low, high); };
  // A negative step may run to before the first element, which only a bound below -extent can say.
  const std::int64_t first = bound(std::max(start.fixed, -size - 1)),
                     last = bound(std::max(end.fixed, -size - 1));
  range.start = first;
  const std::int64_t span = range.step > 0 ? last - first : first - last, step = std::abs(range.step);
  range.count = span <= 0 ? 0 : (span - 1) / step + 1;
  if (range.start == 0 && range.step == 1 && range.count == size) return std::optional<AxisRange>();
  if (range.count == 0) return mismatch(node, "an empty slice", "at least one element");
  return std::optional(range);
}

}  // namespace

std::optional<Dims> broadcast(const Dims& a, const Dims& b) {
  Dims result(std::max(a.size(), b.size()), Dim{1});
  for (std::size_t i = 0; i < result.size(); ++i) {  // i counts from the last axis
    const Dim from_a = i < a.size() ? a[a.size() - 1 - i] : Dim{1},
              from_b = i < b.size() ? b[b.size() - 1 - i] : Dim{1};
    if (from_a != from_b && from_a != Dim{1} && from_b != Dim{1}) return std::nullopt;
    result[result.size() - 1 - i] = from_a == Dim{1} ? from_b : from_a;
  }
  return result;
}

std::optional<Dim> product(const Dims& extents) {
  constexpr std::int64_t most = std::int64_t{1} << 40;
  std::optional<Dim> total = Dim{1};
  for (const Dim& extent : extents) {
    total = multiply(*total, extent);
    if (!total || std::abs(total->fixed) > most || std::abs(total->per_batch) > most) return std::nullopt;
  }
  return total;
}

Result<AxisList> permutation(const NodeView& node, std::size_t rank) {
  PANTANAL_TRY(const auto given, node.integers("perm"));
  if (!given) {
    AxisList reversed(rank);
    for (std::size_t i = 0; i < rank; ++i) reversed[i] = rank - 1 - i;
    return reversed;
  }
  PANTANAL_TRY(AxisList order, node.axes(*given, rank));
  if (order.size() == rank) return order;
  return mismatch(node, "a permutation of " + std::to_string(order.size()) + " axes", std::to_string(rank));
}

Result<AxisList> squeezed_axes(const NodeView& node, const Dims& extents) {
  PANTANAL_TRY(const auto given, node.integers_at(1, "axes"));
  AxisList axes;
  if (!given) {
    for (std::size_t i = 0; i < extents.size(); ++i)
      if (extents[i] == Dim{1}) axes.push_back(i);
    return axes;
  }
  PANTANAL_TRY(axes, node.axes(*given, extents.size()));
  for (const std::size_t axis : axes)
    if (extents[axis] != Dim{1})
      return mismatch(node, to_string(extents), "extent 1 at axis " + std::to_string(axis));
  return axes;
}

Result<AxisList> unsqueezed_axes(const NodeView& node, std::size_t rank) {
  PANTANAL_TRY(const auto given, node.integers_at(1, "axes"));
  if (!given) return node.error("no axes", "the axes to insert", ErrorCode::corrupt);
  PANTANAL_TRY(AxisList axes, node.axes(*given, rank + given->size()));
  std::sort(axes.begin(), axes.end());
  return axes;
}

Result<Dims> reshaped_extents(const NodeView& node, const Dims& extents) {
  const auto total = product(extents);
  if (!total) return mismatch(node, to_string(extents), "an input of a size that can be computed");
  Dims target;
  if (node.is("Flatten")) {
    PANTANAL_TRY(std::int64_t axis, node.integer("axis", 1));
    if (axis != static_cast<std::int64_t>(extents.size())) {
      PANTANAL_TRY(const std::size_t index, node.axis(axis, extents.size()));
      axis = static_cast<std::int64_t>(index);
    }
    const auto outer = product(Dims(extents.begin(), extents.begin() + axis));
    const auto inner = product(Dims(extents.begin() + axis, extents.end()));
    return Dims{outer.value_or(Dim{}), inner.value_or(Dim{})};
  }
  PANTANAL_TRY(const auto given, node.dims(1));
  PANTANAL_TRY(const std::int64_t allow_zero, node.integer("allowzero", 0));
  if (!given) return node.error("no shape", "an input that says the new shape", ErrorCode::corrupt);
  target = *given;
  for (std::size_t i = 0; i < target.size() && !allow_zero; ++i)
    if (target[i] == Dim{0} && i < extents.size()) target[i] = extents[i];
  const auto inferred = find_inferred(target);
  const auto others = inferred ? product(inferred->others) : std::nullopt;
  if (others && inferred->index) target[*inferred->index] = divide(*total, *others).value_or(Dim{});
  if (others && product(target) == total) return target;
  return mismatch(node, to_string(extents) + " reshaped to " + to_string(*given),
                  "as many elements as before");
}

Result<Dims> expanded_extents(const NodeView& node, const Dims& extents) {
  PANTANAL_TRY(const auto target, node.dims(1));
  const auto result = target ? broadcast(extents, *target) : std::nullopt;
  if (result && product(*result)) return *result;
  return mismatch(node, to_string(extents) + " expanded to " + (target ? to_string(*target) : "nothing"),
                  "shapes that broadcast");
}

Result<AxisList> reduced_axes(const NodeView& node, std::size_t rank) {
  PANTANAL_TRY(const auto given, node.integers_at(1, "axes"));
  PANTANAL_TRY(const std::int64_t noop, node.integer("noop_with_empty_axes", 0));
  AxisList axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  if (!given || given->empty()) return noop ? AxisList() : axes;
  PANTANAL_TRY(axes, node.axes(*given, rank));
  std::sort(axes.begin(), axes.end());
  return axes;
}

Result<bool> keeps_dimensions(const NodeView& node) {
  PANTANAL_TRY(const std::int64_t keeps, node.integer("keepdims", 1));
  return keeps != 0;
}

Result<std::vector<AxisRange>> slice_ranges(const NodeView& node, const Dims& extents) {
  std::optional<Dims> starts, ends;
  std::optional<std::vector<std::int64_t>> axes, steps;
  if (node.has("starts")) {  // before operator set 10
    PANTANAL_TRY(const auto start_list, node.integers("starts"));
    PANTANAL_TRY(const auto end_list, node.integers("ends"));
    PANTANAL_TRY(axes, node.integers("axes"));
    starts = fixed_dims(start_list.value_or(Shape()));
    ends = fixed_dims(end_list.value_or(Shape()));
  } else {
    PANTANAL_TRY(starts, node.dims(1));
    PANTANAL_TRY(ends, node.dims(2));
    PANTANAL_TRY(axes, node.integer_input(3));
    PANTANAL_TRY(steps, node.integer_input(4));
  }
  const std::size_t count = starts ? starts->size() : 0;
  if (!starts || !ends || ends->size() != count || (axes && axes->size() != count) ||
      (steps && steps->size() != count))
    return node.error("starts, ends, axes and steps of unequal length", "as many of each",
                      ErrorCode::corrupt);
  if (!axes) {
    axes.emplace(count);
    std::iota(axes->begin(), axes->end(), 0);
  }
  PANTANAL_TRY(const AxisList list, node.axes(*axes, extents.size()));
  std::vector<AxisRange> ranges;
  for (std::size_t i = 0; i < count; ++i) {
    const AxisRange range{list[i], 0, steps ? (*steps)[i] : 1, 0};
    if (range.step == 0 || range.step == INT64_MIN)
      return node.error("step 0", "another step", ErrorCode::corrupt);
    PANTANAL_TRY(const auto cut, range_of(node, range, (*starts)[i], (*ends)[i], extents[list[i]]));
    if (cut) ranges.push_back(*cut);
  }
  return ranges;
}

Result<std::vector<AxisRange>> split_ranges(const NodeView& node, const Dims& extents) {
  PANTANAL_TRY(const std::int64_t axis_number, node.integer("axis", 0));
  PANTANAL_TRY(const std::size_t axis, node.axis(axis_number, extents.size()));
  PANTANAL_TRY(auto sizes, node.integers_at(1, "split"));
  const auto outputs = static_cast<std::int64_t>(node.output_count());
  const std::int64_t extent = extents[axis].fixed;
  if (!extents[axis].is_fixed() || outputs < 1 || outputs > extent)
    return mismatch(node, to_string(extents) + " split in " + std::to_string(outputs),
                    "a constant extent to split");
  if (!sizes) {
    const std::int64_t part = (extent - 1) / outputs + 1;
    sizes.emplace(static_cast<std::size_t>(outputs), part);
    sizes->back() = extent - part * (outputs - 1);
  }
  std::vector<AxisRange> ranges;
  std::int64_t start = 0;
  for (const std::int64_t size : *sizes) {
    if (size < 1 || size > extent - start)
      return mismatch(node, "parts that do not fit", "parts that make up the whole");
    ranges.push_back({axis, start, 1, size});
    start += size;
  }
  if (start == extent && ranges.size() == node.output_count()) return ranges;
  return mismatch(node, "parts that do not fit", "parts that make up the whole");
}

}  // namespace pantanal::convert
