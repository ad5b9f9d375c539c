// Pad: elements added around a tensor, or taken away.
#include <algorithm>
#include <numeric>
#include <string>

#include "interpreter/indexing.hpp"
#include "interpreter/operator.hpp"

namespace pantanal::convert::interpreter {
namespace {

constexpr std::int64_t outside = -1;

/// Which element of an axis stands at position i before or after it; `outside` for the constant.
std::int64_t source_index(std::int64_t i, std::int64_t extent, const std::string& mode) {
  if (i >= 0 && i < extent) return i;
  if (mode == "edge") return std::clamp<std::int64_t>(i, 0, extent - 1);
  if (mode == "wrap") return (i % extent + extent) % extent;
  if (mode == "reflect") {  // mirrored at both ends, whose elements are not repeated
    const std::int64_t period = std::max<std::int64_t>(2 * (extent - 1), 1);
    const std::int64_t phase = (i % period + period) % period;
    return std::min(phase, period - phase) % extent;
  }
  return outside;
}

/// Elements added before and after every axis of input 0; negative ones are taken away.
struct Amounts {
  std::vector<std::int64_t> before, after;
};

template <class Real>
Result<Amounts> read_amounts(const Call<Real>& call) {
  const std::size_t rank = call.input(0).rank();
  PANTANAL_TRY(const auto pads, call.list("pads", 1));
  std::vector<std::size_t> axes(rank);
  std::iota(axes.begin(), axes.end(), std::size_t{0});
  if (call.has_input(3)) {
    PANTANAL_TRY(const std::vector<std::int64_t> listed, call.integer_list(3));
    PANTANAL_TRY(axes, call.axes(listed, rank));
  }
  if (!pads || pads->size() != 2 * axes.size())
    return call.error(ErrorCode::mismatch, pads ? std::to_string(pads->size()) + " pads" : "no pads",
                      std::to_string(2 * axes.size()));
  Amounts amounts{std::vector<std::int64_t>(rank, 0), std::vector<std::int64_t>(rank, 0)};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    amounts.before[axes[i]] = (*pads)[i];
    amounts.after[axes[i]] = (*pads)[axes.size() + i];
  }
  return amounts;
}

/// For each axis and each position of the result, the input's index; what is taken away goes first.
template <class Real>
Result<std::vector<std::vector<std::int64_t>>> read_sources(const Call<Real>& call, const std::string& mode) {
  const Shape& shape = call.input(0).shape;
  PANTANAL_TRY(const Amounts amounts, read_amounts(call));
  constexpr std::int64_t most = std::int64_t{1} << 32;
  std::vector<std::vector<std::int64_t>> sources;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    const std::int64_t before = amounts.before[axis], after = amounts.after[axis];
    const std::int64_t first = std::max<std::int64_t>(-std::max(before, -most), 0);
    const std::int64_t kept = shape[axis] - first - std::max<std::int64_t>(-std::max(after, -most), 0);
    const bool has_source = kept > 0 || mode == "constant" || (before <= 0 && after <= 0);
    if (kept < 0 || before > most || after > most || !has_source)
      return call.error(
          ErrorCode::mismatch,
          "pads " + std::to_string(before) + ", " + std::to_string(after) + " of " + call.describe(0),
          "pads that fit axis " + std::to_string(axis));
    const std::int64_t added_before = std::max<std::int64_t>(before, 0);
    const std::int64_t extent = added_before + kept + std::max<std::int64_t>(after, 0);
    PANTANAL_TRY_STATUS(call.size_of({extent}));
    std::vector<std::int64_t>& source = sources.emplace_back();
    for (std::int64_t i = 0; i < extent; ++i) {
      const std::int64_t index = source_index(i - added_before, kept, mode);
      source.push_back(index == outside ? outside : first + index);
    }
  }
  return sources;
}

/// The tensor whose element at (i, j, …) is the input's at (sources[0][i], sources[1][j], …), or `fill`.
template <class T>
std::vector<T> padded(const std::vector<T>& values, const Shape& input, const Shape& shape, std::size_t size,
                      const std::vector<std::vector<std::int64_t>>& sources, T fill) {
  const Strides strides = row_major_strides(input);
  std::vector<T> result;
  result.reserve(size);
  Shape index(shape.size(), 0);
  for (std::size_t n = 0; n < size; ++n) {
    std::int64_t from = 0;
    bool inside = true;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      const std::int64_t source = sources[axis][index[axis]];
      inside = inside && source != outside;
      from += source * strides[axis];
    }
    result.push_back(inside ? values[from] : fill);
    for (std::size_t axis = shape.size(); axis-- > 0 && ++index[axis] == shape[axis];) index[axis] = 0;
  }
  return result;
}

/// The constant: input 2 in newer operator sets, the attribute `value` in older ones.
template <class Real, class T>
Result<T> fill_value(const Call<Real>& call) {
  if (!call.has_input(2)) {
    PANTANAL_TRY(const float value, call.real("value", 0));
    return static_cast<T>(value);
  }
  PANTANAL_TRY_STATUS(call.expect(2, call.input(0).kind));
  if (call.input(2).size() != 1) return call.error(ErrorCode::mismatch, call.describe(2), "one element");
  if constexpr (std::is_same_v<T, Real>)
    return call.input(2).reals->front();
  else
    return call.input(2).integers->front();
}

template <class Real>
Result<Tensors<Real>> pad(const Call<Real>& call) {
  PANTANAL_TRY(const std::string mode, call.text("mode", "constant"));
  if (mode != "constant" && mode != "edge" && mode != "reflect" && mode != "wrap")
    return call.attribute_error("mode", mode, "constant, edge, reflect or wrap");
  PANTANAL_TRY(const auto sources, read_sources(call, mode));
  const Tensor<Real>& input = call.input(0);
  Shape shape;
  for (const auto& source : sources) shape.push_back(static_cast<std::int64_t>(source.size()));
  PANTANAL_TRY(const std::size_t size, call.size_of(shape));
  if (input.kind == Kind::real) {
    PANTANAL_TRY(const Real fill, (fill_value<Real, Real>(call)));
    return Tensors<Real>{real_tensor(shape, padded(*input.reals, input.shape, shape, size, sources, fill))};
  }
  PANTANAL_TRY(const std::int64_t fill, (fill_value<Real, std::int64_t>(call)));
  return Tensors<Real>{integer_tensor<Real>(
      input.kind, shape, padded(*input.integers, input.shape, shape, size, sources, fill))};
}

}  // namespace

template <class Real>
Operators<Real> pad_operators() {
  return {{"Pad", pad<Real>, 1, 4, 1, {"mode", "pads", "value"}}};
}

template Operators<float> pad_operators<float>();
template Operators<double> pad_operators<double>();

}  // namespace pantanal::convert::interpreter
