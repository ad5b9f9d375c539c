// Copies through strides: what Transpose, Slice and Expand have in common.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "pantanal/core/shape.hpp"

namespace pantanal::convert {

/// Distance, in elements, between neighbours along each axis of a dense row-major tensor.
inline std::vector<std::int64_t> dense_strides(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * std::max<std::int64_t>(shape[i], 1);
  return strides;
}

/// Strides that read a dense tensor of shape `from` as the shape `to` of the same or a higher rank it
/// broadcasts to.
inline std::vector<std::int64_t> broadcast_strides(const Shape& from, const Shape& to) {
  std::vector<std::int64_t> strides(to.size(), 0);
  const std::vector<std::int64_t> dense = dense_strides(from);
  const std::size_t added = to.size() - from.size();
  for (std::size_t i = 0; i < from.size(); ++i)
    if (from[i] != 1) strides[added + i] = dense[i];
  return strides;
}

/// Calls visit(offset) for every index of `shape` in row-major order, offset being `start` + Σ index·stride.
template <class Visit>
void for_each_offset(const Shape& shape, const std::vector<std::int64_t>& strides, std::int64_t start,
                     Visit&& visit) {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return;
  Shape index(shape.size(), 0);
  std::int64_t offset = start;
  while (true) {
    visit(static_cast<std::size_t>(offset));
    std::size_t axis = shape.size();
    for (; axis > 0; --axis) {
      offset += strides[axis - 1];
      if (++index[axis - 1] < shape[axis - 1]) break;
      offset -= strides[axis - 1] * shape[axis - 1];
      index[axis - 1] = 0;
    }
    if (axis == 0) return;
  }
}

/// The tensor of `shape` whose elements lie at those offsets of `values`. All must be inside.
template <class T>
std::vector<T> strided_copy(const std::vector<T>& values, const Shape& shape,
                            const std::vector<std::int64_t>& strides, std::int64_t start = 0) {
  std::vector<T> copy;
  copy.reserve(static_cast<std::size_t>(element_count(shape).value_or(0)));
  for_each_offset(shape, strides, start, [&](std::size_t offset) { copy.push_back(values[offset]); });
  return copy;
}

}  // namespace pantanal::convert
