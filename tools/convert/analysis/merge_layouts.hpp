// How layouts combine: operands of one elementwise operator, and features that are numbered anew.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "analysis/fact.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::convert {

/// The layouts of a node with one output.
inline Result<std::vector<Layout>> only(Layout layout) { return std::vector<Layout>{std::move(layout)}; }

/// Digits of a new feature axis.
Digits new_axis(std::int64_t extent, Axes& axes);

/// The layout of operands broadcast together: values with layouts and constants with extents. Where two
/// values meet, they run over the same axis, or over two feature axes of equal extent, of which the first
/// names the result's.
Result<Layout> merge_layouts(const NodeView& node, const std::vector<Layout>& values,
                             const std::vector<Dims>& constants, Axes& axes);

/// `layout` after the extents of the dimensions `changed` became those in `extents`: every feature dimension
/// gets digits of one new axis that counts through them row by row. Errors: a change of batch, time or
/// frequency.
Result<Layout> renumbered(const NodeView& node, const Layout& layout, const std::vector<std::size_t>& changed,
                          const Dims& extents, Axes& axes);

/// Whether `digits` are features only.
bool is_feature(const Digits& digits, const Axes& axes);

}  // namespace pantanal::convert
