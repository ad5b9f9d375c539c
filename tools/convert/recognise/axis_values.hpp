// Constants along one axis: the numbers that a broadcast constant holds for each index of an axis.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "analysis/analysis.hpp"

namespace pantanal::convert {

/// What `known`, broadcast against a value of this layout, holds for each index 0 .. count-1 of `axis`; NaN
/// for indices that the layout does not run over. Nothing if it varies over another axis. An axis of extent 1
/// is -1.
std::optional<std::vector<double>> values_along(const Known& known, const Layout& layout, int axis,
                                                std::size_t count);

/// Every digit of `axis` in the layout, and the dimension it stands in.
struct PlacedDigit {
  std::size_t dimension = 0;
  Digit digit;
};
std::vector<PlacedDigit> digits_of(const Layout& layout, int axis);

/// The axes of a layout that are neither the batch nor features: time and frequency, and repetitions of a
/// value.
bool has_positions(const Layout& layout, const Axes& axes);

}  // namespace pantanal::convert
