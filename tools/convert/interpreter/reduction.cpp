// Reduce*: sums, means, extremes and norms along axes.
#include <cmath>
#include <concepts>
#include <limits>

#include "interpreter/indexing.hpp"
#include "interpreter/operator.hpp"
#include "interpreter/scalar_arithmetic.hpp"

namespace pantanal::convert::interpreter {
namespace {

/// Which axes a node reduces, as shapes.
struct Plan {
  Shape kept;            ///< of the result while reduced axes stay with extent 1
  Shape result;          ///< of the result as returned: without the reduced axes if keepdims is 0
  std::size_t size = 1;  ///< elements of the result
};

/// The axes are an attribute or, in newer operator sets, input 1. None given means all, or none at all if
/// noop_with_empty_axes is set.
template <class Real>
Result<Plan> make_plan(const Call<Real>& call) {
  const Shape& shape = call.input(0).shape;
  PANTANAL_TRY(const auto listed, call.list("axes", 1));
  PANTANAL_TRY(const std::int64_t noop, call.integer("noop_with_empty_axes", 0));
  PANTANAL_TRY(const std::int64_t keepdims, call.integer("keepdims", 1));
  const bool any_listed = listed && !listed->empty();
  std::vector<bool> reduced(shape.size(), !any_listed && noop == 0);
  if (any_listed) {
    PANTANAL_TRY(const std::vector<std::size_t> axes, call.axes(*listed, shape.size()));
    for (const std::size_t axis : axes) reduced[axis] = true;
  }
  Plan plan;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    plan.kept.push_back(reduced[axis] ? 1 : shape[axis]);
    if (!reduced[axis] || keepdims != 0) plan.result.push_back(plan.kept.back());
  }
  PANTANAL_TRY(plan.size, call.size_of(plan.kept));
  return plan;
}

/// totals[i] = step(totals[i], x, i) for every element x that is reduced into element i, in row-major order.
template <class Total, class T, class Step>
void accumulate(const Shape& shape, const std::vector<T>& values, const Plan& plan,
                std::vector<Total>& totals, Step step) {
  const std::array<Strides, 2> strides = {row_major_strides(shape), broadcast_strides(plan.kept, shape)};
  const std::int64_t length = row_length(shape), step_in = row_step(strides[0]),
                     step_out = row_step(strides[1]);
  for_each_row<2>(shape, strides, {0, 0}, [&](const std::array<std::int64_t, 2>& start) {
    for (std::int64_t k = 0; k < length; ++k) {
      const std::int64_t i = start[1] + k * step_out;
      totals[i] = step(totals[i], static_cast<Total>(values[start[0] + k * step_in]), i);
    }
  });
}

// One struct per reduction: the total of nothing, the total after one more element, the result of `count`
// elements. Total is double for real tensors and int64 for others.
struct Sum {
  template <class T>
  static T initial() {
    return 0;
  }
  template <class T>
  static T step(T total, T x) {
    return add(total, x);
  }
  template <class T>
  static T finish(T total, T) {
    return total;
  }
};
struct Mean : Sum {
  static double finish(double total, double count) { return total / count; }
  static std::int64_t finish(std::int64_t total, std::int64_t count) {
    return count == 0 ? 0 : total / count;
  }
};
struct LogSum : Sum {
  static double finish(double total, double) { return std::log(total); }
};
struct L1 : Sum {
  template <class T>
  static T step(T total, T x) {
    return add(total, x < 0 ? negate(x) : x);
  }
};
struct SumSquare : Sum {
  template <class T>
  static T step(T total, T x) {
    return add(total, multiply(x, x));
  }
};
struct L2 : SumSquare {
  static double finish(double total, double) { return std::sqrt(total); }
};
struct Prod : Sum {
  template <class T>
  static T initial() {
    return 1;
  }
  template <class T>
  static T step(T total, T x) {
    return multiply(total, x);
  }
};
struct Max : Sum {
  template <class T>
  static T initial() {
    return std::floating_point<T> ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::min();
  }
  template <class T>
  static T step(T total, T x) {
    return larger(total, x);
  }
};
struct Min : Sum {
  template <class T>
  static T initial() {
    return std::floating_point<T> ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
  }
  template <class T>
  static T step(T total, T x) {
    return smaller(total, x);
  }
};

template <class Reduction, class Total, class T>
std::vector<T> reduced(const Shape& shape, const std::vector<T>& values, const Plan& plan) {
  std::vector<Total> totals(plan.size, Reduction::template initial<Total>());
  accumulate(shape, values, plan, totals,
             [](Total total, Total x, std::int64_t) { return Reduction::step(total, x); });
  const auto count = static_cast<Total>(plan.size == 0 ? 0 : values.size() / plan.size);
  std::vector<T> result;
  result.reserve(plan.size);
  for (const Total total : totals) result.push_back(static_cast<T>(Reduction::finish(total, count)));
  return result;
}

template <class Real, class Reduction>
Result<Tensors<Real>> reduce_reals(const Call<Real>& call) {
  PANTANAL_TRY_STATUS(call.expect(0, Kind::real));
  PANTANAL_TRY(const Plan plan, make_plan(call));
  const Tensor<Real>& input = call.input(0);
  return Tensors<Real>{real_tensor(plan.result, reduced<Reduction, double>(input.shape, *input.reals, plan))};
}

template <class Real, class Reduction>
Result<Tensors<Real>> reduce_numbers(const Call<Real>& call) {
  if (call.input(0).kind == Kind::real) return reduce_reals<Real, Reduction>(call);
  PANTANAL_TRY_STATUS(call.expect(0, Kind::integer));
  PANTANAL_TRY(const Plan plan, make_plan(call));
  const Tensor<Real>& input = call.input(0);
  return Tensors<Real>{integer_tensor<Real>(
      Kind::integer, plan.result, reduced<Reduction, std::int64_t>(input.shape, *input.integers, plan))};
}

/// Extremes of booleans, false below true; of none, the one that any other replaces.
template <class Real, class Reduction>
Result<Tensors<Real>> reduce_extreme(const Call<Real>& call) {
  if (call.input(0).kind != Kind::boolean) return reduce_numbers<Real, Reduction>(call);
  PANTANAL_TRY(const Plan plan, make_plan(call));
  const Tensor<Real>& input = call.input(0);
  std::vector<std::int64_t> result = reduced<Reduction, std::int64_t>(input.shape, *input.integers, plan);
  for (std::int64_t& value : result) value = value > 0;
  return Tensors<Real>{integer_tensor<Real>(Kind::boolean, plan.result, std::move(result))};
}

/// ln Σ e^x, computed as m + ln Σ e^(x−m) with the largest element m, so that nothing overflows.
template <class Real>
Result<Tensors<Real>> reduce_log_sum_exp(const Call<Real>& call) {
  PANTANAL_TRY_STATUS(call.expect(0, Kind::real));
  PANTANAL_TRY(const Plan plan, make_plan(call));
  const Tensor<Real>& input = call.input(0);
  std::vector<double> largest(plan.size, Max::initial<double>()), sums(plan.size, 0.0);
  accumulate(input.shape, *input.reals, plan, largest,
             [](double total, double x, std::int64_t) { return Max::step(total, x); });
  for (double& m : largest)
    if (std::isinf(m)) m = 0;
  accumulate(input.shape, *input.reals, plan, sums,
             [&](double total, double x, std::int64_t i) { return total + std::exp(x - largest[i]); });
  std::vector<Real> result;
  for (std::size_t i = 0; i < plan.size; ++i)
    result.push_back(static_cast<Real>(largest[i] + std::log(sums[i])));
  return Tensors<Real>{real_tensor(plan.result, std::move(result))};
}

}  // namespace

template <class Real>
Operators<Real> reduction_operators() {
  const std::vector<std::string_view> attributes = {"axes", "keepdims", "noop_with_empty_axes"};
  return {
      {"ReduceL1", reduce_numbers<Real, L1>, 1, 2, 1, attributes},
      {"ReduceL2", reduce_reals<Real, L2>, 1, 2, 1, attributes},
      {"ReduceLogSum", reduce_reals<Real, LogSum>, 1, 2, 1, attributes},
      {"ReduceLogSumExp", reduce_log_sum_exp<Real>, 1, 2, 1, attributes},
      {"ReduceMax", reduce_extreme<Real, Max>, 1, 2, 1, attributes},
      {"ReduceMean", reduce_numbers<Real, Mean>, 1, 2, 1, attributes},
      {"ReduceMin", reduce_extreme<Real, Min>, 1, 2, 1, attributes},
      {"ReduceProd", reduce_numbers<Real, Prod>, 1, 2, 1, attributes},
      {"ReduceSum", reduce_numbers<Real, Sum>, 1, 2, 1, attributes},
      {"ReduceSumSquare", reduce_numbers<Real, SumSquare>, 1, 2, 1, attributes},
  };
}

template Operators<float> reduction_operators<float>();
template Operators<double> reduction_operators<double>();

}  // namespace pantanal::convert::interpreter
