// Operators of two or more numeric tensors, element by element, broadcast to one shape.
#include "interpreter/broadcasting.hpp"
#include "interpreter/operator.hpp"
#include "interpreter/scalar_arithmetic.hpp"

namespace pantanal::convert::interpreter {
namespace {

/// f(a, b) for the elements of two tensors of one numeric kind.
template <class Real, auto f>
Result<Tensor<Real>> combine(const Call<Real>& call, const Tensor<Real>& a, const Tensor<Real>& b) {
  if (a.kind != b.kind || a.kind == Kind::boolean)
    return call.error(ErrorCode::unsupported,
                      std::string("operands of kinds ") + to_string(a.kind) + " and " + to_string(b.kind),
                      "two reals or two integers");
  PANTANAL_TRY(const Shape shape, broadcast_shape(call, a, b));
  if (a.kind == Kind::real)
    return real_tensor(shape, map_pairs<Real>(shape, a.shape, *a.reals, b.shape, *b.reals, f));
  return integer_tensor<Real>(a.kind, shape,
                              map_pairs<std::int64_t>(shape, a.shape, *a.integers, b.shape, *b.integers, f));
}

/// All inputs combined from first to last.
template <class Real, auto f>
Result<Tensors<Real>> fold(const Call<Real>& call) {
  Tensor<Real> result = call.input(0);
  if (result.kind == Kind::boolean) return call.error(ErrorCode::unsupported, call.describe(0), "numbers");
  for (std::size_t i = 1; i < call.input_count(); ++i) {
    PANTANAL_TRY(result, (combine<Real, f>(call, result, call.input(i))));
  }
  return Tensors<Real>{std::move(result)};
}

/// Integers have no quotient by zero.
template <class Real>
Status check_divisor(const Call<Real>& call) {
  if (call.input(1).kind != Kind::integer) return {};
  for (const std::int64_t divisor : *call.input(1).integers)
    if (divisor == 0) return call.error(ErrorCode::mismatch, "an integer divided by zero", "another divisor");
  return {};
}

template <class Real>
Result<Tensors<Real>> div(const Call<Real>& call) {
  PANTANAL_TRY_STATUS(check_divisor(call));
  return fold<Real, [](auto a, auto b) { return divide(a, b); }>(call);
}

template <class Real>
Result<Tensors<Real>> mod(const Call<Real>& call) {
  PANTANAL_TRY(const std::int64_t truncate, call.integer("fmod", 0));
  PANTANAL_TRY_STATUS(check_divisor(call));
  if (truncate == 0) return fold<Real, [](auto a, auto b) { return floored_remainder(a, b); }>(call);
  if (truncate == 1) return fold<Real, [](auto a, auto b) { return truncated_remainder(a, b); }>(call);
  return call.attribute_error("fmod", std::to_string(truncate), "0 or 1");
}

template <class Real>
Result<Tensors<Real>> sum(const Call<Real>& call) {
  return fold<Real, [](auto a, auto b) { return add(a, b); }>(call);
}

template <class Real>
Result<Tensors<Real>> mean(const Call<Real>& call) {
  PANTANAL_TRY_STATUS(call.expect(0, Kind::real));
  PANTANAL_TRY(const Tensors<Real> total, sum(call));
  std::vector<Real> values = *total.front().reals;
  for (Real& value : values) value /= static_cast<Real>(call.input_count());
  return Tensors<Real>{real_tensor(total.front().shape, std::move(values))};
}

/// The result has the base's type, whatever the exponent's.
template <class Real>
Result<Tensors<Real>> pow(const Call<Real>& call) {
  constexpr auto f = [](auto x, auto y) { return power(x, y); };
  const Tensor<Real>&a = call.input(0), &b = call.input(1);
  if (a.kind == b.kind || a.kind == Kind::boolean || b.kind == Kind::boolean) return fold<Real, f>(call);
  PANTANAL_TRY(const Shape shape, broadcast_shape(call, a, b));
  if (a.kind == Kind::real)
    return Tensors<Real>{
        real_tensor(shape, map_pairs<Real>(shape, a.shape, *a.reals, b.shape, *b.integers, f))};
  return Tensors<Real>{integer_tensor<Real>(
      Kind::integer, shape, map_pairs<std::int64_t>(shape, a.shape, *a.integers, b.shape, *b.reals, f))};
}

}  // namespace

template <class Real>
Operators<Real> arithmetic_operators() {
  return {
      {"Add", sum<Real>, 2, 2},
      {"Div", div<Real>, 2, 2},
      {"Max", fold<Real, [](auto a, auto b) { return larger(a, b); }>, 1, variadic},
      {"Mean", mean<Real>, 1, variadic},
      {"Min", fold<Real, [](auto a, auto b) { return smaller(a, b); }>, 1, variadic},
      {"Mod", mod<Real>, 2, 2, 1, {"fmod"}},
      {"Mul", fold<Real, [](auto a, auto b) { return multiply(a, b); }>, 2, 2},
      {"Pow", pow<Real>, 2, 2},
      {"Sub", fold<Real, [](auto a, auto b) { return subtract(a, b); }>, 2, 2},
      {"Sum", sum<Real>, 1, variadic},
  };
}

template Operators<float> arithmetic_operators<float>();
template Operators<double> arithmetic_operators<double>();

}  // namespace pantanal::convert::interpreter
