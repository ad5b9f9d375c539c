#include "analysis/layout.hpp"

#include <utility>

namespace pantanal::convert {
namespace {

/// Hands out the digits of a layout in order, cut where a dimension ends.
class DigitCutter {
 public:
  explicit DigitCutter(const Layout& layout) {
    for (const Digits& dimension : layout) rest_.insert(rest_.end(), dimension.begin(), dimension.end());
    rest_ = merged(rest_);
  }

  /// The next digits, of this extent together.
  std::optional<Digits> take(Dim extent) {
    Digits taken;
    bool needs_batch = extent.per_batch != 0;
    std::int64_t needed = needs_batch ? extent.per_batch : extent.fixed;
    if (needed < 1 || (needs_batch && extent.fixed != 0)) return std::nullopt;
    while (needs_batch || needed > 1) {
      if (next_ == rest_.size()) return std::nullopt;
      Digit& digit = rest_[next_];
      if (digit.extent == 0) {
        if (!std::exchange(needs_batch, false)) return std::nullopt;
        taken.push_back(rest_[next_++]);
      } else if (needed % digit.extent == 0) {
        needed /= digit.extent;
        taken.push_back(rest_[next_++]);
      } else if (digit.extent % needed == 0 && needed > 1) {
        const std::int64_t inner = digit.extent / needed;
        taken.push_back({digit.axis, needed, digit.stride * inner});
        digit.extent = inner;
        needed = 1;
      } else {
        return std::nullopt;
      }
    }
    return taken;
  }

  bool done() const { return next_ == rest_.size(); }

 private:
  Digits rest_;
  std::size_t next_ = 0;
};

}  // namespace

Dim extent_of(const Digits& digits) {
  Dim extent{1};
  for (const Digit& digit : digits) {
    if (digit.extent == 0)
      extent = {0, extent.fixed};
    else if (extent.is_fixed())
      extent.fixed *= digit.extent;
    else
      extent.per_batch *= digit.extent;
  }
  return extent;
}

Dims extents_of(const Layout& layout) {
  Dims extents;
  for (const Digits& digits : layout) extents.push_back(extent_of(digits));
  return extents;
}

Digits whole_axis(int axis, std::int64_t extent) {
  return extent == 1 ? Digits() : Digits{{axis, extent, 1}};
}

Digits merged(const Digits& digits) {
  Digits result;
  for (const Digit& digit : digits) {
    if (!result.empty() && result.back().axis == digit.axis && digit.extent != 0 &&
        result.back().stride == digit.extent * digit.stride)
      result.back() = {digit.axis, result.back().extent * digit.extent, digit.stride};
    else
      result.push_back(digit);
  }
  return result;
}

std::optional<Layout> reshaped(const Layout& layout, const Dims& extents) {
  DigitCutter cutter(layout);
  Layout result;
  for (const Dim& extent : extents) {
    auto digits = cutter.take(extent);
    if (!digits) return std::nullopt;
    result.push_back(std::move(*digits));
  }
  return cutter.done() ? std::optional(std::move(result)) : std::nullopt;
}

std::optional<int> single_axis(const Digits& digits, const Axes& axes) {
  const Digits whole = merged(digits);
  if (whole.empty()) return -1;
  const Digit& digit = whole.front();
  const bool complete = whole.size() == 1 && digit.stride == 1 &&
                        digit.extent == axes[static_cast<std::size_t>(digit.axis)].extent;
  return complete ? std::optional(digit.axis) : std::nullopt;
}

}  // namespace pantanal::convert
