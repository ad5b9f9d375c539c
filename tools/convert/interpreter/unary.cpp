// Operators of one tensor, element by element.
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "interpreter/operator.hpp"
#include "interpreter/scalar_arithmetic.hpp"

namespace pantanal::convert::interpreter {
namespace {

/// f(x) for every element x of input 0, which may be real or integer.
template <class Real, class F>
Result<Tensors<Real>> map_numbers(const Call<Real>& call, F f) {
  const Tensor<Real>& input = call.input(0);
  if (input.kind == Kind::boolean) return call.error(ErrorCode::unsupported, call.describe(0), "numbers");
  PANTANAL_TRY_STATUS(call.size_of(input.shape));
  return Tensors<Real>{with_elements(input, input.shape, [&](const auto& x) {
    std::remove_cvref_t<decltype(x)> y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) y[i] = f(x[i]);
    return y;
  })};
}

/// f(x) for every element x of input 0, which must be real.
template <class Real, class F>
Result<Tensors<Real>> map_reals(const Call<Real>& call, F f) {
  PANTANAL_TRY_STATUS(call.expect(0, Kind::real));
  PANTANAL_TRY_STATUS(call.size_of(call.input(0).shape));
  const std::vector<Real>& x = *call.input(0).reals;
  std::vector<Real> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = f(x[i]);
  return Tensors<Real>{real_tensor(call.input(0).shape, std::move(y))};
}

template <class Real, auto f>
Result<Tensors<Real>> numbers(const Call<Real>& call) {
  return map_numbers(call, f);
}

template <class Real, auto f>
Result<Tensors<Real>> reals(const Call<Real>& call) {
  return map_reals(call, f);
}

/// 1 / (1 + e^-x): 0 and 1 where e^-x overflows or vanishes.
template <class Real>
Real sigmoid(Real x) {
  return 1 / (1 + std::exp(-x));
}

template <class Real>
Result<Tensors<Real>> leaky_relu(const Call<Real>& call) {
  PANTANAL_TRY(const Real alpha, call.real("alpha", 0.01f));
  return map_reals(call, [=](Real x) { return x < 0 ? alpha * x : x; });
}

template <class Real>
Result<Tensors<Real>> elu(const Call<Real>& call) {
  PANTANAL_TRY(const Real alpha, call.real("alpha", 1.0f));
  return map_reals(call, [=](Real x) { return x < 0 ? alpha * std::expm1(x) : x; });
}

template <class Real>
Result<Tensors<Real>> hard_sigmoid(const Call<Real>& call) {
  PANTANAL_TRY(const Real alpha, call.real("alpha", 0.2f));
  PANTANAL_TRY(const Real beta, call.real("beta", 0.5f));
  return map_reals(call, [=](Real x) { return std::fmax(Real(0), std::fmin(Real(1), alpha * x + beta)); });
}

template <class Real>
Result<Tensors<Real>> swish(const Call<Real>& call) {
  PANTANAL_TRY(const Real alpha, call.real("alpha", 1.0f));
  return map_reals(call, [=](Real x) { return x * sigmoid(alpha * x); });
}

/// One bound of Clip: a scalar input since operator set 11, an attribute before, else the widest value of T.
template <class Real, class T>
Result<T> bound(const Call<Real>& call, std::size_t i, std::string_view attribute, T widest) {
  if (!call.has_input(i)) {
    if (!call.has(attribute)) return widest;
    PANTANAL_TRY(const float value, call.real(attribute, 0));
    return static_cast<T>(value);
  }
  PANTANAL_TRY_STATUS(call.expect(i, call.input(0).kind));
  if (call.input(i).size() != 1) return call.error(ErrorCode::mismatch, call.describe(i), "a scalar");
  if constexpr (std::is_same_v<T, Real>)
    return call.input(i).reals->front();
  else
    return call.input(i).integers->front();
}

/// min(max, max(x, min)), as the operator defines it when min exceeds max.
template <class Real, class T>
Result<Tensors<Real>> clip_between(const Call<Real>& call) {
  PANTANAL_TRY(const T low, bound<Real>(call, 1, "min", std::numeric_limits<T>::lowest()));
  PANTANAL_TRY(const T high, bound<Real>(call, 2, "max", std::numeric_limits<T>::max()));
  return map_numbers(call, [=](auto x) {
    const T raised = static_cast<T>(x) < low ? low : static_cast<T>(x);
    return static_cast<decltype(x)>(raised > high ? high : raised);
  });
}

template <class Real>
Result<Tensors<Real>> clip(const Call<Real>& call) {
  return call.input(0).kind == Kind::real ? clip_between<Real, Real>(call)
                                          : clip_between<Real, std::int64_t>(call);
}

template <class Real>
Result<Tensors<Real>> logical_not(const Call<Real>& call) {
  PANTANAL_TRY_STATUS(call.expect(0, Kind::boolean));
  PANTANAL_TRY_STATUS(call.size_of(call.input(0).shape));
  std::vector<std::int64_t> values = *call.input(0).integers;
  for (std::int64_t& value : values) value = value == 0;
  return Tensors<Real>{integer_tensor<Real>(Kind::boolean, call.input(0).shape, std::move(values))};
}

}  // namespace

template <class Real>
Operators<Real> unary_operators() {
  return {
      {"Abs", numbers<Real, [](auto x) { return x < 0 ? negate(x) : x; }>},
      {"Ceil", reals<Real, [](Real x) { return std::ceil(x); }>},
      {"Clip", clip<Real>, 1, 3, 1, {"min", "max"}},
      {"Cos", reals<Real, [](Real x) { return std::cos(x); }>},
      {"Elu", elu<Real>, 1, 1, 1, {"alpha"}},
      {"Erf", reals<Real, [](Real x) { return std::erf(x); }>},
      {"Exp", reals<Real, [](Real x) { return std::exp(x); }>},
      {"Floor", reals<Real, [](Real x) { return std::floor(x); }>},
      {"HardSigmoid", hard_sigmoid<Real>, 1, 1, 1, {"alpha", "beta"}},
      {"HardSwish",
       reals<Real, [](Real x) { return x * std::fmax(Real(0), std::fmin(Real(1), x / 6 + Real(0.5))); }>},
      {"LeakyRelu", leaky_relu<Real>, 1, 1, 1, {"alpha"}},
      {"Log", reals<Real, [](Real x) { return std::log(x); }>},
      {"Neg", numbers<Real, [](auto x) { return negate(x); }>},
      {"Not", logical_not<Real>},
      {"Reciprocal", reals<Real, [](Real x) { return 1 / x; }>},
      {"Relu", numbers<Real, [](auto x) { return x < 0 ? decltype(x)(0) : x; }>},
      {"Round", reals<Real, [](Real x) { return std::nearbyint(x); }>},  // halves to even
      {"Sigmoid", reals<Real, [](Real x) { return sigmoid(x); }>},
      {"Sign", numbers<Real, [](auto x) { return static_cast<decltype(x)>((x > 0) - (x < 0)); }>},
      {"Sin", reals<Real, [](Real x) { return std::sin(x); }>},
      {"Softplus",
       reals<Real, [](Real x) { return std::fmax(x, Real(0)) + std::log1p(std::exp(-std::abs(x))); }>},
      {"Sqrt", reals<Real, [](Real x) { return std::sqrt(x); }>},
      {"Swish", swish<Real>, 1, 1, 1, {"alpha"}},
      {"Tanh", reals<Real, [](Real x) { return std::tanh(x); }>},
  };
}

template Operators<float> unary_operators<float>();
template Operators<double> unary_operators<double>();

}  // namespace pantanal::convert::interpreter
