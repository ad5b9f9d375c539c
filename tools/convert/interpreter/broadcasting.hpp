// Broadcasting two operands of a node to one shape.
#pragma once

#include "interpreter/indexing.hpp"
#include "interpreter/operator.hpp"

namespace pantanal::convert::interpreter {

/// The shape of what a and b make together, small enough to be computed.
template <class Real>
Result<Shape> broadcast_shape(const NodeContext& node, const Tensor<Real>& a, const Tensor<Real>& b) {
  std::optional<Shape> shape = broadcast(a.shape, b.shape);
  if (!shape)
    return node.error(ErrorCode::mismatch,
                      "operands of shapes " + to_string(a.shape) + ", " + to_string(b.shape),
                      "shapes that broadcast");
  PANTANAL_TRY_STATUS(node.size_of(*shape));
  return *std::move(shape);
}

/// f(a, b) for the elements of two operands broadcast to `shape`.
template <class Out, class A, class B, class F>
std::vector<Out> map_pairs(const Shape& shape, const Shape& shape_a, const std::vector<A>& a,
                           const Shape& shape_b, const std::vector<B>& b, F f) {
  const Strides strides_a = broadcast_strides(shape_a, shape), strides_b = broadcast_strides(shape_b, shape);
  const std::int64_t length = row_length(shape), step_a = row_step(strides_a), step_b = row_step(strides_b);
  std::vector<Out> result;
  result.reserve(static_cast<std::size_t>(*element_count(shape)));
  for_each_row<2>(shape, {strides_a, strides_b}, {0, 0}, [&](const std::array<std::int64_t, 2>& start) {
    for (std::int64_t i = 0; i < length; ++i)
      result.push_back(f(a[start[0] + i * step_a], b[start[1] + i * step_b]));
  });
  return result;
}

}  // namespace pantanal::convert::interpreter
