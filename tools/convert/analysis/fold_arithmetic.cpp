#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string_view>
#include <utility>

#include "analysis/fold_constants.hpp"
#include "analysis/scalar_function.hpp"
#include "analysis/shape_rules.hpp"
#include "analysis/strided.hpp"

namespace pantanal::convert {
namespace {

using Integers = std::span<const Dim>;
using IntegerFunction = std::optional<Dim> (*)(Integers);

constexpr std::int64_t most_elements = std::int64_t{1} << 28;

std::optional<Dim> truth(std::optional<bool> value) {
  return value ? std::optional(Dim{*value}) : std::nullopt;
}

std::optional<Dim> negated(std::optional<Dim> value) {
  return value ? std::optional(Dim{*value == Dim{0}}) : std::nullopt;
}

std::optional<Dim> equal(Integers x) {
  if (x[0] == x[1]) return Dim{1};
  const bool apart = less(x[0], x[1]).value_or(false) || less(x[1], x[0]).value_or(false);
  return apart ? std::optional(Dim{0}) : std::nullopt;
}

/// The greatest or the least of all, if the order does not depend on the batch size.
std::optional<Dim> extreme(Integers x, bool greatest) {
  Dim best = x[0];
  for (const Dim& value : x.subspan(1)) {
    const auto is_less = less(best, value);
    if (!is_less) return std::nullopt;
    if (*is_less == greatest) best = value;
  }
  return best;
}

const std::map<std::string_view, IntegerFunction>& integer_functions() {
  static const std::map<std::string_view, IntegerFunction> table = {
      {"Add", [](Integers x) { return add(x[0], x[1]); }},
      {"And", [](Integers x) { return std::optional(Dim{x[0] != Dim{} && x[1] != Dim{}}); }},
      {"Div", [](Integers x) { return divide(x[0], x[1]); }},
      {"Equal", equal},
      {"Greater", [](Integers x) { return truth(less(x[1], x[0])); }},
      {"GreaterOrEqual", [](Integers x) { return negated(truth(less(x[0], x[1]))); }},
      {"Less", [](Integers x) { return truth(less(x[0], x[1])); }},
      {"LessOrEqual", [](Integers x) { return negated(truth(less(x[1], x[0]))); }},
      {"Max", [](Integers x) { return extreme(x, true); }},
      {"Min", [](Integers x) { return extreme(x, false); }},
      {"Mul", [](Integers x) { return multiply(x[0], x[1]); }},
      {"Neg", [](Integers x) { return multiply(x[0], {-1}); }},
      {"Not", [](Integers x) { return negated(x[0]); }},
      {"Or", [](Integers x) { return std::optional(Dim{x[0] != Dim{} || x[1] != Dim{}}); }},
      {"Sub", [](Integers x) { return subtract(x[0], x[1]); }},
      {"Where", [](Integers x) { return std::optional(x[0] != Dim{} ? x[1] : x[2]); }},
  };
  return table;
}

bool gives_truth(std::string_view op) {
  static const std::set<std::string_view> ops = {"And",  "Equal",       "Greater", "GreaterOrEqual",
                                                 "Less", "LessOrEqual", "Not",     "Or"};
  return ops.contains(op);
}

/// The shape that the node's inputs broadcast to, in stored elements and in all.
std::optional<std::pair<Shape, Dims>> common_shape(const NodeView& node) {
  Dims shape, extents;
  for (const Fact* input : node.inputs()) {
    if (!input) continue;
    const auto wider_shape = broadcast(shape, fixed_dims(input->known->shape));
    const auto wider_extents = broadcast(extents, input->known->extents);
    if (!wider_shape || !wider_extents) return std::nullopt;
    shape = *wider_shape;
    extents = *wider_extents;
  }
  Shape fixed = fixed_shape(shape).value_or(Shape());
  const auto count = element_count(fixed);
  return count && *count <= most_elements ? std::optional(std::pair(std::move(fixed), extents))
                                          : std::nullopt;
}

/// Elements f(arguments) over `shape`, arguments[k] being at(input k, its element there), `absent` without
/// one; nothing if f ever gives nothing.
template <class T, class At, class F>
std::optional<std::vector<T>> map_elements(const NodeView& node, const Shape& shape, T absent, At at, F f) {
  const auto& inputs = node.inputs();
  const std::vector<std::int64_t> dense = dense_strides(shape);
  std::vector<std::vector<std::int64_t>> strides(inputs.size());
  for (std::size_t k = 0; k < inputs.size(); ++k)
    if (inputs[k]) strides[k] = broadcast_strides(inputs[k]->known->shape, shape);
  std::vector<T> result, arguments(inputs.size(), absent);
  const std::int64_t count = element_count(shape).value_or(0);
  result.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      if (!inputs[k]) continue;
      std::int64_t offset = 0, rest = i;
      for (std::size_t axis = 0; axis < shape.size(); rest %= dense[axis], ++axis)
        offset += rest / dense[axis] * strides[k][axis];
      arguments[k] = at(*inputs[k]->known, static_cast<std::size_t>(offset));
    }
    const std::optional<T> value = f(arguments);
    if (!value) return std::nullopt;
    result.push_back(*value);
  }
  return result;
}

bool has_reals(const NodeView& node) {
  const auto is_real = [](const Fact* input) { return input && input->known->is_real(); };
  return std::any_of(node.inputs().begin(), node.inputs().end(), is_real);
}

Folded integer_elementwise(const NodeView& node, const Shape& shape, const Dims& extents) {
  const auto function = integer_functions().find(node.node().op);
  const bool complete = std::find(node.inputs().begin(), node.inputs().end(), nullptr) == node.inputs().end();
  if (function == integer_functions().end() || !complete) return unknown();
  const auto at = [](const Known& known, std::size_t i) { return known.integers()[i]; };
  auto values = map_elements<Dim>(node, shape, Dim{}, at, function->second);
  if (!values) return unknown();
  Known result = make_known(shape, std::move(*values));
  result.extents = extents;
  return std::vector{std::move(result)};
}

Folded real_elementwise(const NodeView& node, const ScalarFunction& function, const Shape& shape,
                        const Dims& extents) {
  for (const Fact* input : node.inputs())
    if (input && !input->known->is_real() && !fixed_shape(input->known->integers())) return unknown();
  const auto at = [](const Known& known, std::size_t i) {
    return known.is_real() ? known.real(i) : static_cast<double>(known.integers()[i].fixed);
  };
  const auto f = [&](const std::vector<double>& arguments) { return std::optional(function(arguments)); };
  std::vector<double> values = map_elements<double>(node, shape, std::nan(""), at, f).value();
  Known result = make_known(shape, Dims());
  if (gives_truth(node.node().op))
    result = make_known(shape, fixed_dims(Shape(values.begin(), values.end())));
  else
    result = make_known(shape, std::move(values));
  result.extents = extents;
  return std::vector{std::move(result)};
}

Folded elementwise(const NodeView& node) {
  PANTANAL_TRY(const ScalarFunction function, scalar_function(node));  // checks the number of inputs too
  const auto common = common_shape(node);
  if (!common)
    return node.error("inputs of shapes that do not fit", "shapes that broadcast", ErrorCode::mismatch);
  const auto& [shape, extents] = *common;
  if (!has_reals(node)) return integer_elementwise(node, shape, extents);
  return real_elementwise(node, function, shape, extents);
}

/// A reduction: how a value joins what was found so far, what it starts from, and what becomes of the total.
struct Reduction {
  double start;
  double (*join)(double total, double value);
  double (*finish)(double total, double count);
};

const std::map<std::string_view, Reduction>& reductions() {
  constexpr auto as_is = [](double total, double) { return total; };
  constexpr auto sum = [](double total, double x) { return total + x; };
  constexpr auto squares = [](double total, double x) { return total + x * x; };
  static const std::map<std::string_view, Reduction> table = {
      {"ReduceL1", {0, [](double total, double x) { return total + std::abs(x); }, as_is}},
      {"ReduceL2", {0, squares, [](double total, double) { return std::sqrt(total); }}},
      {"ReduceMax", {-INFINITY, [](double total, double x) { return std::max(total, x); }, as_is}},
      {"ReduceMean", {0, sum, [](double total, double count) { return total / count; }}},
      {"ReduceMin", {INFINITY, [](double total, double x) { return std::min(total, x); }, as_is}},
      {"ReduceProd", {1, [](double total, double x) { return total * x; }, as_is}},
      {"ReduceSum", {0, sum, as_is}},
      {"ReduceSumSquare", {0, squares, as_is}},
  };
  return table;
}

/// Shape without, or with extent 1 at, the reduced axes.
Shape reduced_shape(const Shape& shape, const AxisList& axes, bool keep) {
  Shape result = without(shape, axes);
  return keep ? with(std::move(result), axes, std::int64_t{1}) : result;
}

/// Strides, over `shape`, of the reduced result.
std::vector<std::int64_t> result_strides(const Shape& shape, const AxisList& axes) {
  const Shape kept = reduced_shape(shape, axes, true);
  return broadcast_strides(kept, shape);
}

Folded reduce_reals(const Reduction& rule, const Known& known, const AxisList& axes, bool keep) {
  const Shape shape = reduced_shape(known.shape, axes, keep);
  std::vector<double> totals(static_cast<std::size_t>(element_count(shape).value_or(0)), rule.start);
  std::size_t i = 0;
  for_each_offset(known.shape, result_strides(known.shape, axes), 0,
                  [&](std::size_t at) { totals[at] = rule.join(totals[at], known.real(i++)); });
  const double count =
      totals.empty() ? 0 : static_cast<double>(known.size()) / static_cast<double>(totals.size());
  for (double& total : totals) total = rule.finish(total, count);
  return std::vector{make_known(shape, std::move(totals))};
}

/// Products of shapes: ReduceProd and ReduceSum of integers.
Folded reduce_integers(std::string_view op, const Known& known, const AxisList& axes, bool keep) {
  const bool multiplies = op == "ReduceProd";
  if (!multiplies && op != "ReduceSum") return unknown();
  const Shape shape = reduced_shape(known.shape, axes, keep);
  Dims totals(static_cast<std::size_t>(element_count(shape).value_or(0)), Dim{multiplies});
  std::size_t i = 0;
  bool valid = true;
  for_each_offset(known.shape, result_strides(known.shape, axes), 0, [&](std::size_t at) {
    const Dim value = known.integers()[i++];
    const auto total = multiplies ? multiply(totals[at], value) : add(totals[at], value);
    valid = valid && total;
    totals[at] = total.value_or(Dim{});
  });
  return valid ? Folded(std::vector{make_known(shape, std::move(totals))}) : unknown();
}

Folded reduce(const NodeView& node, const Reduction& rule) {
  PANTANAL_TRY(const Fact* const input, node.input(0));
  const auto known = written_out(*input->known);
  if (!known) return unknown();
  PANTANAL_TRY(const AxisList axes, reduced_axes(node, known->shape.size()));
  PANTANAL_TRY(const bool keep, keeps_dimensions(node));
  return known->is_real() ? reduce_reals(rule, *known, axes, keep)
                          : reduce_integers(node.node().op, *known, axes, keep);
}

}  // namespace

Folded fold_arithmetic(const NodeView& node) {
  if (is_elementwise(node.node().op)) return elementwise(node);
  const auto reduction = reductions().find(node.node().op);
  return reduction == reductions().end() ? unknown() : reduce(node, reduction->second);
}

}  // namespace pantanal::convert
