#include "recognise/pooling.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "analysis/shape_rules.hpp"
#include "recognise/axis_values.hpp"

namespace pantanal::convert {
namespace {

/// The other operand and the constant of a binary node with one scalar constant.
struct ScalarOperation {
  const Fact* value;
  double constant;
};

std::optional<ScalarOperation> scalar_operation(const Fact& fact, const char* op, bool constant_last) {
  if (!fact.is(op) || fact.inputs.size() != 2) return std::nullopt;
  for (const std::size_t i : {1, 0}) {
    const Fact* const constant = fact.inputs[i];
    const Fact* const value = fact.inputs[1 - i];
    if (!constant || !value || !constant->known || value->known || !constant->known->scalar()) continue;
    if (i == 1 || !constant_last) return ScalarOperation{value->origin, *constant->known->scalar()};
  }
  return std::nullopt;
}

bool is_reduction(const Fact& fact, Pooling pooling) {
  if (pooling == Pooling::maximum)
    return fact.is("ReduceMax") || fact.is("GlobalMaxPool") || fact.is("MaxPool");
  return fact.is("ReduceMean") || fact.is("GlobalAveragePool") || fact.is("AveragePool");
}

/// Dimensions of its input that a reduction or pool sums up.
Result<AxisList> reduced_dimensions(const Analysis& analysis, const Fact& fact) {
  const std::size_t rank = fact.inputs[0]->layout.size();
  if (fact.node->op.starts_with("Reduce")) return reduced_axes(analysis.view(fact), rank);
  AxisList image(rank - 2);
  std::iota(image.begin(), image.end(), 2);
  return image;
}

/// Whether a reduction runs over positions only; appends how many elements it sums up.
Status check_positions(const Analysis& analysis, const Fact& fact, double& count) {
  PANTANAL_TRY(const AxisList dimensions, reduced_dimensions(analysis, fact));
  for (const std::size_t dimension : dimensions)
    for (const Digit& digit : fact.inputs[0]->layout[dimension]) {
      const AxisKind kind = analysis.axis(digit.axis).kind;
      if (kind != AxisKind::time && kind != AxisKind::frequency)
        return fact_error(fact,
                          "a reduction over dimension " + std::to_string(dimension) + " of " +
                              to_string(fact.inputs[0]->extents()),
                          "over time and frequency only");
      count *= static_cast<double>(digit.extent);
    }
  return {};
}

/// A chain of reductions `op`, from the last to the first: returns what the first is applied to.
template <class IsReduction>
Result<const Fact*> through(const Analysis& analysis, const Fact* fact, IsReduction is_one, double& count) {
  while (is_one(*fact)) {
    PANTANAL_TRY_STATUS(check_positions(analysis, *fact, count));
    fact = fact->inputs[0]->origin;
  }
  return fact;
}

/// ReduceSum, divided by the number of elements it sums up.
Result<const Fact*> match_sum_mean(const Analysis& analysis, const Fact& value, const std::string& expected) {
  const auto divided = scalar_operation(value, "Div", true);
  const auto multiplied = scalar_operation(value, "Mul", false);
  if (!divided && !multiplied) return fact_error(value, operator_of(value), expected);
  const double factor = divided ? 1 / divided->constant : multiplied->constant;
  const Fact* const sum = divided ? divided->value : multiplied->value;
  double count = 1;
  PANTANAL_TRY(const Fact* const input,
               through(
                   analysis, sum, [](const Fact& f) { return f.is("ReduceSum"); }, count));
  if (input == sum) return fact_error(*sum, operator_of(*sum), "ReduceSum: " + expected);
  if (std::abs(factor * count - 1) > 1e-6)
    return fact_error(value,
                      "a sum over " + std::to_string(count) + " positions times " + std::to_string(factor),
                      "a mean: the sum divided by the number of positions");
  return input;
}

/// x if `fact` is x².
const Fact* squared(const Fact& fact) {
  if (fact.is("Mul") && fact.inputs.size() == 2 && fact.inputs[0] && fact.inputs[1] &&
      !fact.inputs[0]->known && fact.inputs[0]->origin == fact.inputs[1]->origin)
    return fact.inputs[0];
  const auto power = scalar_operation(fact, "Pow", true);
  return power && power->constant == 2 ? fact.inputs[0] : nullptr;
}

/// The value whose square root `fact` is.
const Fact* under_root(const Fact& fact) {
  if (fact.is("Sqrt") && !fact.inputs.empty() && fact.inputs[0]) return fact.inputs[0]->origin;
  const auto power = scalar_operation(fact, "Pow", true);
  return power && power->constant == 0.5 ? power->value : nullptr;
}

}  // namespace

Result<const Fact*> match_pooling(const Analysis& analysis, const Fact& value, Pooling pooling,
                                  const std::string& role) {
  const Fact* const start = value.origin;
  const std::string expected =
      (pooling == Pooling::mean ? "a mean over all positions: " : "a maximum over all positions: ") + role;
  double count = 1;
  PANTANAL_TRY(const Fact* input,
               through(
                   analysis, start, [&](const Fact& f) { return is_reduction(f, pooling); }, count));
  if (input == start && pooling == Pooling::mean) {
    PANTANAL_TRY(input, match_sum_mean(analysis, *start, expected));
  }
  if (input == start) return fact_error(*start, operator_of(*start), expected);
  if (has_positions(start->layout, analysis.axes()))
    return fact_error(*start, "a reduction over some positions, which leaves " + to_string(start->extents()),
                      expected);
  return input;
}

Result<NormMatch> match_norm(const Analysis& analysis, const Fact& value, const std::string& role) {
  const Fact* const fact = value.origin;
  const std::string expected = "ReduceL2, or the root of a sum of squares: " + role;
  if (fact->is("ReduceL2")) {
    PANTANAL_TRY(AxisList reduced, reduced_dimensions(analysis, *fact));
    return NormMatch{{fact->inputs[0]}, std::move(reduced)};
  }
  const Fact* const sum = under_root(*fact);
  if (!sum) return fact_error(*fact, operator_of(*fact), expected);
  if (sum->is("ReduceSumSquare") || sum->is("ReduceSum")) {
    const bool plain = sum->is("ReduceSum");
    const Fact* const term = plain ? squared(*sum->inputs[0]->origin) : sum->inputs[0];
    PANTANAL_TRY(AxisList reduced, reduced_dimensions(analysis, *sum));
    // The squares' layout is the term's, so a view between square and sum would make `reduced` mean something
    // else.
    if (term && (!plain || sum->inputs[0]->origin == sum->inputs[0]))
      return NormMatch{{term}, std::move(reduced)};
  }
  if (sum->is("Add") && sum->inputs.size() == 2 && sum->inputs[0] && sum->inputs[1]) {
    const Fact *const a = squared(*sum->inputs[0]->origin), *const b = squared(*sum->inputs[1]->origin);
    if (a && b) return NormMatch{{a, b}, {}};
  }
  return fact_error(*sum, operator_of(*sum), expected);
}

}  // namespace pantanal::convert
