// Concat and Split: tensors joined and parted along an axis.
#include <algorithm>

#include "interpreter/indexing.hpp"
#include "interpreter/operator.hpp"

namespace pantanal::convert::interpreter {
namespace {

/// The shape of all inputs joined; an Error if they differ in kind, rank or another axis than `axis`.
template <class Real>
Result<Shape> joined_shape(const Call<Real>& call, std::size_t axis) {
  Shape shape = call.input(0).shape;
  for (std::size_t i = 1; i < call.input_count(); ++i) {
    Shape other = call.input(i).shape;
    const std::int64_t extent = other.size() == shape.size() ? std::exchange(other[axis], shape[axis]) : 0;
    if (other != shape || call.input(i).kind != call.input(0).kind)
      return call.error(ErrorCode::mismatch, call.describe(i),
                        "what fits " + call.describe(0) + " along axis " + std::to_string(axis));
    shape[axis] += extent;
  }
  return shape;
}

template <class T, class Real>
std::vector<T> joined(const Call<Real>& call, std::size_t axis, std::size_t size,
                      const std::vector<T>& (*elements)(const Tensor<Real>&)) {
  const std::int64_t outer = split_at(call.input(0).shape, axis).outer;
  std::vector<T> result;
  result.reserve(size);
  for (std::int64_t i = 0; i < outer; ++i)
    for (std::size_t k = 0; k < call.input_count(); ++k) {
      const AxisSplit split = split_at(call.input(k).shape, axis);
      const auto begin = elements(call.input(k)).begin() + i * split.extent * split.inner;
      result.insert(result.end(), begin, begin + split.extent * split.inner);
    }
  return result;
}

template <class Real>
Result<Tensors<Real>> concat(const Call<Real>& call) {
  PANTANAL_TRY(const std::int64_t attribute, call.required_integer("axis"));
  PANTANAL_TRY(const std::size_t axis, call.axis(attribute, call.input(0).rank()));
  PANTANAL_TRY(const Shape shape, joined_shape(call, axis));
  PANTANAL_TRY(const std::size_t size, call.size_of(shape));
  const Kind kind = call.input(0).kind;
  if (kind == Kind::real)
    return Tensors<Real>{
        real_tensor(shape, joined<Real, Real>(
                               call, axis, size, [](const Tensor<Real>& t) -> auto& { return *t.reals; }))};
  return Tensors<Real>{integer_tensor<Real>(
      kind, shape,
      joined<std::int64_t, Real>(
          call, axis, size, [](const Tensor<Real>& t) -> auto& { return *t.integers; }))};
}

/// Lengths of the parts: listed, or as equal as the operator set allows.
template <class Real>
Result<std::vector<std::int64_t>> part_lengths(const Call<Real>& call, std::int64_t extent) {
  const auto parts = static_cast<std::int64_t>(call.output_count());
  PANTANAL_TRY(const auto listed, call.list("split", 1));
  PANTANAL_TRY(const std::int64_t declared, call.integer("num_outputs", parts));
  if (declared != parts)
    return call.attribute_error("num_outputs", std::to_string(declared),
                                std::to_string(parts) + ", as it has outputs");
  if (listed) {
    std::int64_t rest = extent;
    for (const std::int64_t length : *listed) rest = length < 0 || length > rest ? -1 : rest - length;
    if (rest != 0 || static_cast<std::int64_t>(listed->size()) != parts)
      return call.error(ErrorCode::mismatch, "lengths " + to_string(*listed),
                        std::to_string(parts) + " that add up to " + std::to_string(extent));
    return *listed;
  }
  if (extent % parts != 0 && !call.has("num_outputs"))
    return call.error(ErrorCode::mismatch, call.describe(0),
                      "an axis that " + std::to_string(parts) + " divides");
  const std::int64_t length = (extent + parts - 1) / parts;
  std::vector<std::int64_t> lengths;
  for (std::int64_t i = 0; i < parts; ++i)
    lengths.push_back(std::clamp<std::int64_t>(extent - i * length, 0, length));
  return lengths;
}

template <class Real>
Result<Tensors<Real>> split(const Call<Real>& call) {
  const Tensor<Real>& input = call.input(0);
  PANTANAL_TRY(const std::int64_t attribute, call.integer("axis", 0));
  PANTANAL_TRY(const std::size_t axis, call.axis(attribute, input.rank()));
  PANTANAL_TRY(const std::vector<std::int64_t> lengths, part_lengths(call, input.shape[axis]));
  PANTANAL_TRY_STATUS(call.size_of(input.shape));
  const Strides strides = row_major_strides(input.shape);
  Tensors<Real> parts;
  std::int64_t start = 0;
  for (const std::int64_t length : lengths) {
    Shape shape = input.shape;
    shape[axis] = length;
    parts.push_back(strided(input, shape, strides, start * strides[axis]));
    start += length;
  }
  return parts;
}

}  // namespace

template <class Real>
Operators<Real> joining_operators() {
  return {
      {"Concat", concat<Real>, 1, variadic, 1, {"axis"}},
      {"Split", split<Real>, 1, 2, variadic, {"axis", "num_outputs", "split"}},
  };
}

template Operators<float> joining_operators<float>();
template Operators<double> joining_operators<double>();

}  // namespace pantanal::convert::interpreter
