// Walking tensors: strides, broadcasting, and copies through strides.
// Source: https://github.com/onnx/onnx/blob/main/docs/Broadcasting.md (NumPy's rules).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

#include "interpreter/tensor.hpp"

namespace pantanal::convert::interpreter {

/// Distance, in elements, between neighbours along each axis.
using Strides = std::vector<std::int64_t>;

inline Strides row_major_strides(const Shape& shape) {
  Strides strides(shape.size());
  std::int64_t step = 1;
  for (std::size_t axis = shape.size(); axis-- > 0; step *= std::max<std::int64_t>(shape[axis], 1))
    strides[axis] = step;
  return strides;
}

/// The shape both broadcast to, or nothing if they do not fit each other.
inline std::optional<Shape> broadcast(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < result.size(); ++i) {  // i counts from the last axis
    const std::int64_t extent_a = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t extent_b = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (extent_a != extent_b && extent_a != 1 && extent_b != 1) return std::nullopt;
    result[result.size() - 1 - i] = extent_a == 1 ? extent_b : extent_a;
  }
  return result;
}

/// Strides with which a row-major tensor of shape `from` is read as if it had the shape `to` it broadcasts
/// to.
inline Strides broadcast_strides(const Shape& from, const Shape& to) {
  const Strides own = row_major_strides(from);
  Strides strides(to.size(), 0);
  const std::size_t added = to.size() - from.size();
  for (std::size_t axis = 0; axis < from.size(); ++axis)
    if (from[axis] != 1) strides[added + axis] = own[axis];
  return strides;
}

/// Visits the rows (runs along the last axis) of a shape in row-major order: row(offsets), where offsets[k]
/// is where that row starts in an operand read from starts[k] with strides[k]. A scalar has one row of one
/// element.
template <std::size_t N, class Row>
void for_each_row(const Shape& shape, const std::array<Strides, N>& strides,
                  std::array<std::int64_t, N> offsets, Row&& row) {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return;
  Shape index(shape.size(), 0);
  while (true) {
    row(offsets);
    std::size_t axis = shape.empty() ? 0 : shape.size() - 1;
    while (axis-- > 0) {  // step to the next row: the last axis is the row itself
      for (std::size_t k = 0; k < N; ++k) offsets[k] += strides[k][axis];
      if (++index[axis] < shape[axis]) break;
      for (std::size_t k = 0; k < N; ++k) offsets[k] -= shape[axis] * strides[k][axis];
      index[axis] = 0;
      if (axis == 0) return;
    }
    if (shape.size() < 2) return;
  }
}

/// Elements of a row: the last extent, 1 for a scalar.
inline std::int64_t row_length(const Shape& shape) { return shape.empty() ? 1 : shape.back(); }

/// Step from one element of a row to the next, 0 for a scalar.
inline std::int64_t row_step(const Strides& strides) { return strides.empty() ? 0 : strides.back(); }

/// The tensor of this shape whose element at an index is the input's element at offset + Σ index·stride.
/// The caller has checked that all of these are inside.
template <class Real>
Tensor<Real> strided(const Tensor<Real>& tensor, const Shape& shape, const Strides& strides,
                     std::int64_t offset = 0) {
  const auto size = static_cast<std::size_t>(*element_count(shape));
  if (offset == 0 && size == tensor.size() && strides == row_major_strides(shape))
    return reshaped(tensor, shape);
  return with_elements(tensor, shape, [&](const auto& values) {
    auto copy = std::remove_cvref_t<decltype(values)>();
    copy.reserve(size);
    const std::int64_t length = row_length(shape), step = row_step(strides);
    for_each_row<1>(shape, {strides}, {offset}, [&](const std::array<std::int64_t, 1>& start) {
      for (std::int64_t i = 0; i < length; ++i) copy.push_back(values[start[0] + i * step]);
    });
    return copy;
  });
}

/// The tensor with its axes in another order: axis i of the result is axis order[i] of the input.
template <class Real>
Tensor<Real> permuted(const Tensor<Real>& tensor, const std::vector<std::size_t>& order) {
  const Strides own = row_major_strides(tensor.shape);
  Shape shape;
  Strides strides;
  for (const std::size_t axis : order) {
    shape.push_back(tensor.shape[axis]);
    strides.push_back(own[axis]);
  }
  return strided(tensor, shape, strides);
}

/// A shape around one axis: outer · extent · inner elements.
struct AxisSplit {
  std::int64_t outer = 1, extent = 1, inner = 1;
};

inline AxisSplit split_at(const Shape& shape, std::size_t axis) {
  AxisSplit split;
  for (std::size_t i = 0; i < axis; ++i) split.outer *= shape[i];
  split.extent = shape[axis];
  for (std::size_t i = axis + 1; i < shape.size(); ++i) split.inner *= shape[i];
  return split;
}

}  // namespace pantanal::convert::interpreter
