// Operators that take elements from one tensor, in another order or more than once.
#include <algorithm>
#include <numeric>

#include "interpreter/indexing.hpp"
#include "interpreter/operator.hpp"

namespace pantanal::convert::interpreter {
namespace {

/// Axis i of the result is axis perm[i] of the input; by default the axes are reversed.
template <class Real>
Result<Tensors<Real>> transpose(const Call<Real>& call) {
  const Tensor<Real>& input = call.input(0);
  PANTANAL_TRY(const auto perm, call.integers("perm"));
  std::vector<std::size_t> order(input.rank());
  std::iota(order.rbegin(), order.rend(), std::size_t{0});
  if (perm) {
    PANTANAL_TRY(order, call.axes(*perm, input.rank()));
  }
  if (order.size() != input.rank())
    return call.attribute_error("perm", to_string(*perm), "all " + std::to_string(input.rank()) + " axes");
  PANTANAL_TRY_STATUS(call.size_of(input.shape));
  return Tensors<Real>{permuted(input, order)};
}

/// Input 0 broadcast to the shape in input 1, or beyond it where the input's own extent is larger.
template <class Real>
Result<Tensors<Real>> expand(const Call<Real>& call) {
  const Tensor<Real>& input = call.input(0);
  PANTANAL_TRY(const Shape wanted, call.integer_list(1));
  const std::optional<Shape> shape = broadcast(input.shape, wanted);
  if (!shape)
    return call.error(ErrorCode::mismatch, call.describe(0), "a shape that fits " + to_string(wanted));
  PANTANAL_TRY_STATUS(call.size_of(*shape));
  return Tensors<Real>{strided(input, *shape, broadcast_strides(input.shape, *shape))};
}

/// The input repeated `repeats[i]` times along axis i.
template <class Real>
Result<Tensors<Real>> tile(const Call<Real>& call) {
  const Tensor<Real>& input = call.input(0);
  PANTANAL_TRY(const std::vector<std::int64_t> repeats, call.integer_list(1));
  if (repeats.size() != input.rank())
    return call.error(ErrorCode::mismatch, std::to_string(repeats.size()) + " repeats",
                      "one for each axis of " + call.describe(0));
  const Strides own = row_major_strides(input.shape);
  Shape interleaved, result;  // interleaved: the repeats of an axis are an axis of their own, before it
  Strides strides;
  for (std::size_t axis = 0; axis < repeats.size(); ++axis) {
    interleaved.insert(interleaved.end(), {repeats[axis], input.shape[axis]});
    strides.insert(strides.end(), {0, own[axis]});
  }
  PANTANAL_TRY_STATUS(call.size_of(interleaved));
  for (std::size_t axis = 0; axis < repeats.size(); ++axis)
    result.push_back(repeats[axis] * input.shape[axis]);
  return Tensors<Real>{reshaped(strided(input, interleaved, strides), result)};
}

/// Where Slice enters an axis, how it steps, and how many elements it takes.
struct Run {
  std::int64_t start = 0, step = 1, count = 0;
};

/// Negative starts and ends count from the end; then both are clamped to what the step can visit.
Run slice_axis(std::int64_t extent, std::int64_t start, std::int64_t end, std::int64_t step) {
  if (start < 0) start += extent;
  if (end < 0) end += extent;
  step = std::clamp(step, -extent - 1, extent + 1);  // longer steps take one element just the same
  if (step > 0) {
    start = std::clamp<std::int64_t>(start, 0, extent);
    end = std::clamp<std::int64_t>(end, 0, extent);
    return {start, step, end > start ? (end - start - 1) / step + 1 : 0};
  }
  start = std::clamp<std::int64_t>(start, std::min<std::int64_t>(extent - 1, 0), extent - 1);
  end = std::clamp<std::int64_t>(end, -1, extent - 1);
  return {start, step, start > end ? (start - end - 1) / -step + 1 : 0};
}

/// starts, ends and axes are attributes in operator sets before 10, inputs since; steps came with the inputs.
template <class Real>
Result<Tensors<Real>> slice(const Call<Real>& call) {
  const Tensor<Real>& input = call.input(0);
  PANTANAL_TRY(const auto starts, call.list("starts", 1));
  PANTANAL_TRY(const auto ends, call.list("ends", 2));
  PANTANAL_TRY(auto axes, call.list("axes", 3));
  PANTANAL_TRY(auto steps, call.list("steps", 4));
  if (!starts || !ends) return call.error(ErrorCode::corrupt, "no starts or no ends", "both");
  if (!axes) {
    axes.emplace(starts->size());
    std::iota(axes->begin(), axes->end(), std::int64_t{0});
  }
  if (!steps) steps.emplace(starts->size(), 1);
  if (ends->size() != starts->size() || axes->size() != starts->size() || steps->size() != starts->size())
    return call.error(ErrorCode::mismatch, "starts, ends, axes and steps of different lengths",
                      "equal lengths");
  PANTANAL_TRY(const std::vector<std::size_t> indices, call.axes(*axes, input.rank()));

  Shape shape = input.shape;
  Strides strides = row_major_strides(input.shape);
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if ((*steps)[i] == 0) return call.error(ErrorCode::mismatch, "step 0", "any other");
    const std::size_t axis = indices[i];
    const Run run = slice_axis(input.shape[axis], (*starts)[i], (*ends)[i], (*steps)[i]);
    shape[axis] = run.count;
    offset += run.start * strides[axis];
    strides[axis] *= run.step;
  }
  PANTANAL_TRY_STATUS(call.size_of(shape));
  return Tensors<Real>{strided(input, shape, strides, offset)};
}

/// Slices of input 0 at the indices along `axis`, which the axes of the indices replace.
template <class Real>
Result<Tensors<Real>> gather(const Call<Real>& call) {
  const Tensor<Real>&data = call.input(0), &indices = call.input(1);
  PANTANAL_TRY_STATUS(call.expect(1, Kind::integer));
  PANTANAL_TRY(const std::int64_t attribute, call.integer("axis", 0));
  PANTANAL_TRY(const std::size_t axis, call.axis(attribute, data.rank()));
  const AxisSplit split = split_at(data.shape, axis);
  for (const std::int64_t index : *indices.integers)
    if (index < -split.extent || index >= split.extent)
      return call.error(ErrorCode::mismatch, "index " + std::to_string(index),
                        "one of " + std::to_string(split.extent) + " along axis " + std::to_string(axis));
  const auto at = data.shape.begin() + static_cast<std::ptrdiff_t>(axis);
  Shape shape(data.shape.begin(), at);
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), at + 1, data.shape.end());
  PANTANAL_TRY(const std::size_t size, call.size_of(shape));
  return Tensors<Real>{with_elements(data, shape, [&](const auto& values) {
    auto taken = std::remove_cvref_t<decltype(values)>();
    taken.reserve(size);
    for (std::int64_t outer = 0; outer < split.outer; ++outer)
      for (const std::int64_t index : *indices.integers) {
        const std::int64_t row = outer * split.extent + (index < 0 ? index + split.extent : index);
        taken.insert(taken.end(), values.begin() + row * split.inner,
                     values.begin() + (row + 1) * split.inner);
      }
    return taken;
  })};
}

}  // namespace

template <class Real>
Operators<Real> selection_operators() {
  return {
      {"Expand", expand<Real>, 2, 2},
      {"Gather", gather<Real>, 2, 2, 1, {"axis"}},
      {"Slice", slice<Real>, 1, 5, 1, {"axes", "ends", "starts"}},
      {"Tile", tile<Real>, 2, 2},
      {"Transpose", transpose<Real>, 1, 1, 1, {"perm"}},
  };
}

template Operators<float> selection_operators<float>();
template Operators<double> selection_operators<double>();

}  // namespace pantanal::convert::interpreter
