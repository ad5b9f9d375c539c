// BatchNormalization at inference, LpNormalization, Softmax and LogSoftmax.
#include <cmath>
#include <string>

#include "interpreter/indexing.hpp"
#include "interpreter/operator.hpp"
#include "interpreter/scalar_arithmetic.hpp"

namespace pantanal::convert::interpreter {
namespace {

/// A run of elements along one axis, `inner` apart.
template <class T>
struct Line {
  T* first;
  std::int64_t length, inner;
  T& operator[](std::int64_t i) const { return first[i * inner]; }
};

/// Input 0 after f(line) has changed every line along the middle of outer · extent · inner.
template <class Real, class F>
Result<Tensors<Real>> change_lines(const Call<Real>& call, const AxisSplit& split, F f) {
  PANTANAL_TRY_STATUS(call.expect(0, Kind::real));
  PANTANAL_TRY_STATUS(call.size_of(call.input(0).shape));
  std::vector<Real> values = *call.input(0).reals;
  for (std::int64_t outer = 0; outer < split.outer; ++outer)
    for (std::int64_t inner = 0; inner < split.inner; ++inner)
      f(Line<Real>{values.data() + outer * split.extent * split.inner + inner, split.extent, split.inner});
  return Tensors<Real>{real_tensor(call.input(0).shape, std::move(values))};
}

/// (x − mean) / √(variance + epsilon) · scale + bias for every channel, axis 1 (a vector is one channel).
template <class Real>
Result<Tensors<Real>> batch_normalization(const Call<Real>& call) {
  PANTANAL_TRY(const Real epsilon, call.real("epsilon", 1e-5f));
  for (const auto& [name, wanted] : {std::pair("training_mode", 0), std::pair("spatial", 1)}) {
    PANTANAL_TRY(const std::int64_t value, call.integer(name, wanted));
    if (value != wanted) return call.attribute_error(name, std::to_string(value), std::to_string(wanted));
  }
  const Shape& shape = call.input(0).shape;
  const std::int64_t channels = shape.size() < 2 ? 1 : shape[1];
  for (std::size_t i = 1; i < 5; ++i) {
    PANTANAL_TRY_STATUS(call.expect(i, Kind::real));
    if (call.input(i).shape != Shape{channels})
      return call.error(ErrorCode::mismatch, call.describe(i), "shape " + to_string(Shape{channels}));
  }
  if (shape.empty()) return call.error(ErrorCode::mismatch, call.describe(0), "rank 1 or more");
  const auto parameter = [&](std::size_t i, std::int64_t channel) { return (*call.input(i).reals)[channel]; };
  AxisSplit split = split_at(shape, 0);
  if (shape.size() > 1) {  // lines along everything behind the channels
    split = split_at(shape, 1);
    split = {split.outer * split.extent, split.inner, 1};
  }
  std::int64_t line = 0;
  return change_lines(call, split, [&](const Line<Real>& x) {
    const std::int64_t channel = line++ % channels;
    const Real factor = parameter(1, channel) / std::sqrt(parameter(4, channel) + epsilon);
    for (std::int64_t i = 0; i < x.length; ++i)
      x[i] = (x[i] - parameter(3, channel)) * factor + parameter(2, channel);
  });
}

/// x / ‖x‖ along an axis, 0 where the norm is 0; the norm is Σ|x| or √Σx².
template <class Real>
Result<Tensors<Real>> lp_normalization(const Call<Real>& call) {
  PANTANAL_TRY(const std::int64_t p, call.integer("p", 2));
  PANTANAL_TRY(const std::int64_t attribute, call.integer("axis", -1));
  PANTANAL_TRY(const std::size_t axis, call.axis(attribute, call.input(0).rank()));
  if (p != 1 && p != 2) return call.attribute_error("p", std::to_string(p), "1 or 2");
  return change_lines(call, split_at(call.input(0).shape, axis), [p](const Line<Real>& x) {
    double total = 0;
    for (std::int64_t i = 0; i < x.length; ++i)
      total += p == 1 ? std::abs(x[i]) : static_cast<double>(x[i]) * x[i];
    const double norm = p == 1 ? total : std::sqrt(total);
    for (std::int64_t i = 0; i < x.length; ++i) x[i] = norm == 0 ? Real(0) : static_cast<Real>(x[i] / norm);
  });
}

/// Along which elements Softmax sums: an axis or, before operator set 13, it and all behind it.
template <class Real>
Result<AxisSplit> softmax_axis(const Call<Real>& call) {
  const bool coerced = call.opset() < 13;
  PANTANAL_TRY(const std::int64_t attribute, call.integer("axis", coerced ? 1 : -1));
  const Shape& shape = call.input(0).shape;
  if (coerced && attribute == static_cast<std::int64_t>(shape.size()))
    return AxisSplit{static_cast<std::int64_t>(call.input(0).size()), 1, 1};
  PANTANAL_TRY(const std::size_t axis, call.axis(attribute, shape.size()));
  const AxisSplit split = split_at(shape, axis);
  return coerced ? AxisSplit{split.outer, split.extent * split.inner, 1} : split;
}

/// e^x / Σ e^x, or its logarithm, after the largest x is subtracted, which changes neither.
template <class Real, bool logarithm>
Result<Tensors<Real>> softmax(const Call<Real>& call) {
  PANTANAL_TRY(const AxisSplit split, softmax_axis(call));
  return change_lines(call, split, [](const Line<Real>& x) {
    Real largest = x.length > 0 ? x[0] : Real(0);
    for (std::int64_t i = 1; i < x.length; ++i) largest = larger(largest, x[i]);
    double sum = 0;
    for (std::int64_t i = 0; i < x.length; ++i) sum += std::exp(static_cast<double>(x[i] - largest));
    for (std::int64_t i = 0; i < x.length; ++i) {
      const double shifted = x[i] - largest;
      x[i] = static_cast<Real>(logarithm ? shifted - std::log(sum) : std::exp(shifted) / sum);
    }
  });
}

}  // namespace

template <class Real>
Operators<Real> normalization_operators() {
  return {
      {"BatchNormalization",
       batch_normalization<Real>,
       5,
       5,
       1,
       {"epsilon", "momentum", "spatial", "training_mode"}},
      {"LogSoftmax", softmax<Real, true>, 1, 1, 1, {"axis"}},
      {"LpNormalization", lp_normalization<Real>, 1, 1, 1, {"axis", "p"}},
      {"Softmax", softmax<Real, false>, 1, 1, 1, {"axis"}},
  };
}

template Operators<float> normalization_operators<float>();
template Operators<double> normalization_operators<double>();

}  // namespace pantanal::convert::interpreter
