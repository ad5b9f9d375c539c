#include "analysis/merge_layouts.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace pantanal::convert {
namespace {

bool all_of_kind(const Digits& digits, AxisKind kind, const Axes& axes) {
  return std::all_of(digits.begin(), digits.end(), [&](const Digit& digit) {
    return axes[static_cast<std::size_t>(digit.axis)].kind == kind;
  });
}

/// What both stand for, or nothing if they run over different axes.
std::optional<Digits> joined(const Digits& a, const Digits& b, const Axes& axes) {
  if (a.empty() || a == b) return b;
  if (b.empty()) return a;
  if (extent_of(a) != extent_of(b)) return std::nullopt;
  if (all_of_kind(b, AxisKind::repeated, axes)) return a;
  if (all_of_kind(a, AxisKind::repeated, axes)) return b;
  const bool whole_features =
      is_feature(a, axes) && is_feature(b, axes) && single_axis(a, axes) && single_axis(b, axes);
  return whole_features ? std::optional(a) : std::nullopt;
}

/// Joins `extent` of a constant with what values have at that place.
std::optional<Digits> joined(const Digits& digits, Dim extent, Axes& axes) {
  if (extent == Dim{1} || extent == extent_of(digits)) return digits;
  if (!digits.empty() || !extent.is_fixed() || extent.fixed < 1) return std::nullopt;
  axes.push_back({AxisKind::repeated, 0});
  return whole_axis(static_cast<int>(axes.size()) - 1, extent.fixed);
}

std::string shapes_of(const std::vector<Layout>& values, const std::vector<Dims>& constants) {
  std::string text;
  for (const Layout& layout : values) text += (text.empty() ? "" : " and ") + to_string(extents_of(layout));
  for (const Dims& extents : constants) text += (text.empty() ? "" : " and ") + to_string(extents);
  return text;
}

}  // namespace

Digits new_axis(std::int64_t extent, Axes& axes) {
  axes.push_back({AxisKind::feature, extent});
  return whole_axis(static_cast<int>(axes.size()) - 1, extent);
}

bool is_feature(const Digits& digits, const Axes& axes) {
  return all_of_kind(digits, AxisKind::feature, axes);
}

Result<Layout> merge_layouts(const NodeView& node, const std::vector<Layout>& values,
                             const std::vector<Dims>& constants, Axes& axes) {
  std::size_t rank = 0;
  for (const Layout& layout : values) rank = std::max(rank, layout.size());
  for (const Dims& extents : constants) rank = std::max(rank, extents.size());
  Layout merged(rank);
  const Error mismatch = node.error("inputs of shape " + shapes_of(values, constants),
                                    "inputs whose axes are the same", ErrorCode::mismatch);
  for (std::size_t i = 0; i < rank; ++i) {  // i counts from the last dimension
    Digits& place = merged[rank - 1 - i];
    for (const Layout& layout : values) {
      if (i >= layout.size()) continue;
      auto digits = joined(place, layout[layout.size() - 1 - i], axes);
      if (!digits) return mismatch;
      place = std::move(*digits);
    }
    for (const Dims& extents : constants) {
      if (i >= extents.size()) continue;
      auto digits = joined(place, extents[extents.size() - 1 - i], axes);
      if (!digits) return mismatch;
      place = std::move(*digits);
    }
  }
  return merged;
}

Result<Layout> renumbered(const NodeView& node, const Layout& layout, const std::vector<std::size_t>& changed,
                          const Dims& extents, Axes& axes) {
  const auto is_changed = [&](std::size_t i) {
    return std::find(changed.begin(), changed.end(), i) != changed.end();
  };
  Layout result = layout;
  const int axis = static_cast<int>(axes.size());
  std::int64_t stride = 1;
  for (std::size_t i = layout.size(); i-- > 0;) {
    const bool feature = is_feature(layout[i], axes);
    if (is_changed(i) && !feature)
      return node.error("elements taken from or added to batch, time or frequency", "features only");
    if (!feature || (layout[i].empty() && !is_changed(i))) continue;
    const std::int64_t extent = extents[i].fixed;
    result[i] = extent == 1 ? Digits() : Digits{{axis, extent, stride}};
    stride *= extent;
  }
  axes.push_back({AxisKind::feature, stride});
  return result;
}

}  // namespace pantanal::convert
