// Comparisons, logic, and the choice that follows from them.
#include "interpreter/broadcasting.hpp"
#include "interpreter/operator.hpp"

namespace pantanal::convert::interpreter {
namespace {

template <class Real>
Error kinds_error(const Call<Real>& call, std::size_t a, std::size_t b, const char* expected) {
  return call.error(ErrorCode::unsupported, call.describe(a) + " and " + call.describe(b), expected);
}

/// f(a, b) for two tensors of one kind, as booleans.
template <class Real, auto f>
Result<Tensors<Real>> compare(const Call<Real>& call) {
  const Tensor<Real>&a = call.input(0), &b = call.input(1);
  if (a.kind != b.kind) return kinds_error(call, 0, 1, "tensors of one kind");
  PANTANAL_TRY(const Shape shape, broadcast_shape(call, a, b));
  std::vector<std::int64_t> result =
      a.kind == Kind::real ? map_pairs<std::int64_t>(shape, a.shape, *a.reals, b.shape, *b.reals, f)
                           : map_pairs<std::int64_t>(shape, a.shape, *a.integers, b.shape, *b.integers, f);
  return Tensors<Real>{integer_tensor<Real>(Kind::boolean, shape, std::move(result))};
}

/// f(a, b) for two boolean tensors.
template <class Real, auto f>
Result<Tensors<Real>> logic(const Call<Real>& call) {
  PANTANAL_TRY_STATUS(call.expect(0, Kind::boolean));
  PANTANAL_TRY_STATUS(call.expect(1, Kind::boolean));
  return compare<Real, f>(call);
}

template <class T>
std::vector<T> choose(const Shape& shape, const Shape& shape_c, const std::vector<std::int64_t>& condition,
                      const Shape& shape_x, const std::vector<T>& x, const Shape& shape_y,
                      const std::vector<T>& y) {
  const std::array<Strides, 3> strides = {broadcast_strides(shape_c, shape),
                                          broadcast_strides(shape_x, shape),
                                          broadcast_strides(shape_y, shape)};
  const std::int64_t step_c = row_step(strides[0]), step_x = row_step(strides[1]),
                     step_y = row_step(strides[2]);
  std::vector<T> result;
  result.reserve(static_cast<std::size_t>(*element_count(shape)));
  for_each_row<3>(shape, strides, {0, 0, 0}, [&](const std::array<std::int64_t, 3>& start) {
    for (std::int64_t i = 0; i < row_length(shape); ++i)
      result.push_back(condition[start[0] + i * step_c] ? x[start[1] + i * step_x]
                                                        : y[start[2] + i * step_y]);
  });
  return result;
}

/// x where the condition holds, y elsewhere; all three are broadcast.
template <class Real>
Result<Tensors<Real>> where(const Call<Real>& call) {
  PANTANAL_TRY_STATUS(call.expect(0, Kind::boolean));
  const Tensor<Real>&c = call.input(0), &x = call.input(1), &y = call.input(2);
  if (x.kind != y.kind) return kinds_error(call, 1, 2, "tensors of one kind");
  PANTANAL_TRY(const Shape choices, broadcast_shape(call, x, y));
  const std::optional<Shape> shape = broadcast(c.shape, choices);
  if (!shape)
    return call.error(ErrorCode::mismatch, call.describe(0), "a shape that fits " + to_string(choices));
  PANTANAL_TRY_STATUS(call.size_of(*shape));
  if (x.kind == Kind::real)
    return Tensors<Real>{
        real_tensor(*shape, choose(*shape, c.shape, *c.integers, x.shape, *x.reals, y.shape, *y.reals))};
  return Tensors<Real>{integer_tensor<Real>(
      x.kind, *shape, choose(*shape, c.shape, *c.integers, x.shape, *x.integers, y.shape, *y.integers))};
}

}  // namespace

template <class Real>
Operators<Real> comparison_operators() {
  return {
      {"And", logic<Real, [](auto a, auto b) { return a && b; }>, 2, 2},
      {"Equal", compare<Real, [](auto a, auto b) { return a == b; }>, 2, 2},
      {"Greater", compare<Real, [](auto a, auto b) { return (a > b); }>, 2, 2},
      {"GreaterOrEqual", compare<Real, [](auto a, auto b) { return a >= b; }>, 2, 2},
      {"Less", compare<Real, [](auto a, auto b) { return a < b; }>, 2, 2},
      {"LessOrEqual", compare<Real, [](auto a, auto b) { return a <= b; }>, 2, 2},
      {"Or", logic<Real, [](auto a, auto b) { return a || b; }>, 2, 2},
      {"Where", where<Real>, 3, 3},
      {"Xor", logic<Real, [](auto a, auto b) { return !a != !b; }>, 2, 2},
  };
}

template Operators<float> comparison_operators<float>();
template Operators<double> comparison_operators<double>();

}  // namespace pantanal::convert::interpreter
