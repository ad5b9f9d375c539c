// Layout: which axes of the computation each dimension of a value runs over, whatever Transpose and Reshape
// did to it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analysis/dim.hpp"

namespace pantanal::convert {

/// What an axis means. Only convolutions make a feature axis `frequency`: the one they slide over besides
/// time.
enum class AxisKind { batch, time, frequency, feature, repeated };

/// An axis that some node made; its number is its index in Axes.
struct Axis {
  AxisKind kind = AxisKind::feature;
  std::int64_t extent = 0;  ///< of feature axes when they were made; 0 for others
};

using Axes = std::vector<Axis>;
inline constexpr int batch_axis = 0, time_axis = 1;

/// A stretch of a dimension's index: position i in it means index i·stride of the axis (plus the other
/// digits'). A symbolic batch has extent 0.
struct Digit {
  int axis = 0;
  std::int64_t extent = 0, stride = 1;
  bool operator==(const Digit&) const = default;
};

/// The digits of one dimension, most significant first. None for a dimension of extent 1.
using Digits = std::vector<Digit>;
/// One entry per dimension, outermost first.
using Layout = std::vector<Digits>;

Dim extent_of(const Digits& digits);
Dims extents_of(const Layout& layout);

/// The digit of a whole new axis: none if its extent is 1.
Digits whole_axis(int axis, std::int64_t extent);

/// Neighbouring digits that count through one axis as a single digit.
Digits merged(const Digits& digits);

/// The layout with the same elements, in row-major order, cut into dimensions of these extents; nothing if a
/// boundary falls inside a digit that cannot be cut there.
std::optional<Layout> reshaped(const Layout& layout, const Dims& extents);

/// The axis, if `digits` run exactly once through it, in order; -1 for a dimension of extent 1, nothing
/// otherwise.
std::optional<int> single_axis(const Digits& digits, const Axes& axes);

}  // namespace pantanal::convert
