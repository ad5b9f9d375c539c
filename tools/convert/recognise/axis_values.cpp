#include "recognise/axis_values.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/strided.hpp"

namespace pantanal::convert {
namespace {

/// The known's stride per step of each dimension of the layout; 0 where it repeats.
std::vector<std::int64_t> strides_in(const Known& known, const Layout& layout) {
  return broadcast_strides(known.shape, Shape(layout.size(), 2));
}

}  // namespace

std::vector<PlacedDigit> digits_of(const Layout& layout, int axis) {
  std::vector<PlacedDigit> placed;
  for (std::size_t i = 0; i < layout.size(); ++i)
    for (const Digit& digit : layout[i])
      if (digit.axis == axis) placed.push_back({i, digit});
  return placed;
}

std::optional<std::vector<double>> values_along(const Known& known, const Layout& layout, int axis,
                                                std::size_t count) {
  if (!known.is_real() || known.shape.size() > layout.size()) return std::nullopt;
  const std::vector<std::int64_t> strides = strides_in(known, layout);
  Shape extents;                         // of each digit of the axis
  std::vector<std::int64_t> into_known;  // its stride in the constant
  std::vector<std::int64_t> into_axis;   // and along the axis
  for (std::size_t i = 0; i < layout.size(); ++i) {
    std::int64_t step = strides[i];
    for (std::size_t k = layout[i].size(); k-- > 0;) {
      const Digit& digit = layout[i][k];
      if (digit.axis != axis) {
        if (step != 0) return std::nullopt;
        continue;
      }
      extents.push_back(digit.extent);
      into_known.push_back(step);
      into_axis.push_back(digit.stride);
      step *= digit.extent;
    }
  }
  std::vector<double> values(count, std::nan(""));
  std::vector<std::size_t> places;
  for_each_offset(extents, into_axis, 0, [&](std::size_t place) { places.push_back(place); });
  std::size_t next = 0;
  for_each_offset(extents, into_known, 0, [&](std::size_t offset) {
    const std::size_t place = places[next++];
    if (place < count) values[place] = known.real(offset);
  });
  return values;
}

bool has_positions(const Layout& layout, const Axes& axes) {
  return std::any_of(layout.begin(), layout.end(), [&](const Digits& digits) {
    return std::any_of(digits.begin(), digits.end(), [&](const Digit& digit) {
      const AxisKind kind = axes[static_cast<std::size_t>(digit.axis)].kind;
      return kind == AxisKind::time || kind == AxisKind::frequency;
    });
  });
}

}  // namespace pantanal::convert
