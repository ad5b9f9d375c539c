// What operators that only rearrange elements do to extents; constants and laid-out values share these rules.
// Source: ONNX operator specification, https://onnx.ai/onnx/operators/
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analysis/fact.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::convert {

using AxisList = std::vector<std::size_t>;

/// Extents to which both sides broadcast, or nothing.
std::optional<Dims> broadcast(const Dims& a, const Dims& b);

/// Product of the extents, or nothing if it is more than a graph can mean (2^40, per batch) or not linear in
/// the batch.
std::optional<Dim> product(const Dims& extents);

/// Transpose: axis i of the output is axis [i] of the input.
Result<AxisList> permutation(const NodeView& node, std::size_t rank);

/// Squeeze: the axes of the input that go.
Result<AxisList> squeezed_axes(const NodeView& node, const Dims& extents);

/// Unsqueeze: the axes of the output that come, ascending.
Result<AxisList> unsqueezed_axes(const NodeView& node, std::size_t rank);

/// Reshape and Flatten: extents of the output.
Result<Dims> reshaped_extents(const NodeView& node, const Dims& extents);

/// Expand: extents of the output.
Result<Dims> expanded_extents(const NodeView& node, const Dims& extents);

/// ReduceSum and its like: the axes that go, ascending.
Result<AxisList> reduced_axes(const NodeView& node, std::size_t rank);
Result<bool> keeps_dimensions(const NodeView& node);

/// Elements start, start + step, ... of one axis.
struct AxisRange {
  std::size_t axis = 0;
  std::int64_t start = 0, step = 1, count = 0;
};

/// Slice: the ranges of the axes that it cuts; an axis that stays whole is left out.
Result<std::vector<AxisRange>> slice_ranges(const NodeView& node, const Dims& extents);

/// Split: the range of each output.
Result<std::vector<AxisRange>> split_ranges(const NodeView& node, const Dims& extents);

/// `list` without the entries at `axes`.
template <class T>
std::vector<T> without(const std::vector<T>& list, const AxisList& axes) {
  std::vector<bool> drop(list.size());
  for (const std::size_t axis : axes) drop[axis] = true;
  std::vector<T> kept;
  for (std::size_t i = 0; i < list.size(); ++i)
    if (!drop[i]) kept.push_back(list[i]);
  return kept;
}

/// `list` with `one` inserted so that it lands at `axes`, ascending.
template <class T>
std::vector<T> with(std::vector<T> list, const AxisList& axes, const T& one) {
  for (const std::size_t axis : axes) list.insert(list.begin() + static_cast<std::ptrdiff_t>(axis), one);
  return list;
}

template <class T>
std::vector<T> permuted(const std::vector<T>& list, const AxisList& order) {
  std::vector<T> result;
  for (const std::size_t axis : order) result.push_back(list[axis]);
  return result;
}

}  // namespace pantanal::convert
