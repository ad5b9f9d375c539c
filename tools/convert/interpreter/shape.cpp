// Operators that change or tell a tensor's shape and leave its elements where they are.
#include <algorithm>

#include "interpreter/indexing.hpp"
#include "interpreter/operator.hpp"

namespace pantanal::convert::interpreter {
namespace {

/// Input 0 in another shape, which must have as many elements.
template <class Real>
Result<Tensors<Real>> view(const Call<Real>& call, const Shape& shape) {
  const std::optional<std::int64_t> count = bounded_count(shape, std::int64_t{1} << 40);
  if (!count || static_cast<std::size_t>(*count) != call.input(0).size())
    return call.error(ErrorCode::mismatch, call.describe(0), "as many elements as shape " + to_string(shape));
  return Tensors<Real>{reshaped(call.input(0), shape)};
}

/// 0 copies the input's extent (unless allowzero is set), one -1 stands for whatever is left.
template <class Real>
Result<Tensors<Real>> reshape(const Call<Real>& call) {
  PANTANAL_TRY(Shape shape, call.integer_list(1));
  PANTANAL_TRY(const std::int64_t allow_zero, call.integer("allowzero", 0));
  const Tensor<Real>& input = call.input(0);
  const std::string wanted = "a shape, not " + to_string(shape);
  std::optional<std::size_t> open;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] == 0 && allow_zero == 0) {
      if (axis >= input.rank()) return call.error(ErrorCode::mismatch, call.describe(0), wanted);
      shape[axis] = input.shape[axis];
    } else if (shape[axis] == -1) {
      if (open) return call.error(ErrorCode::mismatch, "two extents -1 in " + to_string(shape), "one");
      open = axis;
      shape[axis] = 1;
    }
  }
  if (open) {
    const std::optional<std::int64_t> rest = element_count(shape);
    if (!rest || *rest == 0 || static_cast<std::int64_t>(input.size()) % *rest != 0)
      return call.error(ErrorCode::mismatch, call.describe(0), wanted);
    shape[*open] = static_cast<std::int64_t>(input.size()) / *rest;
  }
  return view(call, shape);
}

/// Two axes: those before `axis`, and the rest.
template <class Real>
Result<Tensors<Real>> flatten(const Call<Real>& call) {
  PANTANAL_TRY(std::int64_t axis, call.integer("axis", 1));
  const Shape& shape = call.input(0).shape;
  const auto rank = static_cast<std::int64_t>(shape.size());
  if (axis < -rank || axis > rank)
    return call.attribute_error("axis", std::to_string(axis),
                                "one of " + std::to_string(rank) + " axes or the end");
  if (axis < 0) axis += rank;
  Shape flat = {1, 1};
  for (std::int64_t i = 0; i < rank; ++i) flat[i < axis ? 0 : 1] *= shape[i];
  return view(call, flat);
}

/// Drops the axes listed, or every axis of extent 1.
template <class Real>
Result<Tensors<Real>> squeeze(const Call<Real>& call) {
  const Shape& shape = call.input(0).shape;
  PANTANAL_TRY(const auto listed, call.list("axes", 1));
  std::vector<std::size_t> dropped;
  if (listed) {
    PANTANAL_TRY(dropped, call.axes(*listed, shape.size()));
  }
  Shape result;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    const bool is_listed = std::find(dropped.begin(), dropped.end(), axis) != dropped.end();
    if (is_listed && shape[axis] != 1)
      return call.error(ErrorCode::mismatch, call.describe(0), "extent 1 at axis " + std::to_string(axis));
    if (listed ? !is_listed : shape[axis] != 1) result.push_back(shape[axis]);
  }
  return view(call, result);
}

/// Adds axes of extent 1; their indices are those in the result.
template <class Real>
Result<Tensors<Real>> unsqueeze(const Call<Real>& call) {
  const Shape& shape = call.input(0).shape;
  PANTANAL_TRY(const auto listed, call.list("axes", 1));
  if (!listed) return call.error(ErrorCode::corrupt, "no axes", "them as an attribute or as input 1");
  PANTANAL_TRY(std::vector<std::size_t> added, call.axes(*listed, shape.size() + listed->size()));
  std::sort(added.begin(), added.end());
  Shape result = shape;
  for (const std::size_t axis : added) result.insert(result.begin() + static_cast<std::ptrdiff_t>(axis), 1);
  return view(call, result);
}

template <class Real>
Result<Tensors<Real>> identity(const Call<Real>& call) {
  return Tensors<Real>{call.input(0)};
}

/// Inference: everything is kept, and the mask says so.
template <class Real>
Result<Tensors<Real>> dropout(const Call<Real>& call) {
  if (call.has_input(2)) {
    PANTANAL_TRY_STATUS(call.expect(2, Kind::boolean));
    const std::vector<std::int64_t>& training = *call.input(2).integers;
    if (std::find(training.begin(), training.end(), 1) != training.end())
      return call.error(ErrorCode::unsupported, "training_mode = true", "false");
  }
  Tensors<Real> results = {call.input(0)};
  if (call.output_count() > 1) {
    PANTANAL_TRY(const std::size_t size, call.size_of(call.input(0).shape));
    results.push_back(
        integer_tensor<Real>(Kind::boolean, call.input(0).shape, std::vector<std::int64_t>(size, 1)));
  }
  return results;
}

/// The extents from axis `start` up to `end`, both clamped to the axes there are.
template <class Real>
Result<Tensors<Real>> shape_of(const Call<Real>& call) {
  const Shape& shape = call.input(0).shape;
  const auto rank = static_cast<std::int64_t>(shape.size());
  const auto clamped = [&](std::int64_t axis) {
    return std::clamp<std::int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
  };
  PANTANAL_TRY(const std::int64_t start, call.integer("start", 0));
  PANTANAL_TRY(const std::int64_t end, call.integer("end", rank));
  std::vector<std::int64_t> extents;
  for (std::int64_t axis = clamped(start); axis < clamped(end); ++axis) extents.push_back(shape[axis]);
  const auto count = static_cast<std::int64_t>(extents.size());
  return Tensors<Real>{integer_tensor<Real>(Kind::integer, {count}, std::move(extents))};
}

template <class Real>
Result<Tensors<Real>> size(const Call<Real>& call) {
  return Tensors<Real>{
      integer_tensor<Real>(Kind::integer, {}, {static_cast<std::int64_t>(call.input(0).size())})};
}

}  // namespace

template <class Real>
Operators<Real> shape_operators() {
  return {
      {"Dropout", dropout<Real>, 1, 3, 2, {"ratio", "seed"}},
      {"Flatten", flatten<Real>, 1, 1, 1, {"axis"}},
      {"Identity", identity<Real>},
      {"Reshape", reshape<Real>, 2, 2, 1, {"allowzero"}},
      {"Shape", shape_of<Real>, 1, 1, 1, {"start", "end"}},
      {"Size", size<Real>},
      {"Squeeze", squeeze<Real>, 1, 2, 1, {"axes"}},
      {"Unsqueeze", unsqueeze<Real>, 1, 2, 1, {"axes"}},
  };
}

template Operators<float> shape_operators<float>();
template Operators<double> shape_operators<double>();

}  // namespace pantanal::convert::interpreter
