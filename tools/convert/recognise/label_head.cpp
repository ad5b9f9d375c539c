#include "recognise/label_head.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "analysis/shape_rules.hpp"
#include "pantanal/core/finite.hpp"
#include "recognise/axis_values.hpp"
#include "recognise/frame_transform.hpp"
#include "recognise/linear_layer.hpp"
#include "recognise/pooling.hpp"

namespace pantanal::convert {
namespace {

/// The operands of a node `op` of one value and one constant.
struct WithConstant {
  const Fact *value, *constant;
};

std::optional<WithConstant> with_constant(const Fact& fact, const char* op) {
  if (!fact.is(op) || fact.inputs.size() != 2 || !fact.inputs[0] || !fact.inputs[1]) return std::nullopt;
  const Fact *const a = fact.inputs[0], *const b = fact.inputs[1];
  if (a->known.has_value() == b->known.has_value()) return std::nullopt;
  return b->known ? WithConstant{a, b} : WithConstant{b, a};
}

Result<WithConstant> require_constant(const Fact& fact, const char* op, const std::string& role) {
  if (const auto operands = with_constant(fact, op)) return *operands;
  return fact_error(fact, operator_of(fact), std::string(op) + " with a constant: " + role);
}

/// What a constant operand of `fact` holds for each index of the axis.
Result<std::vector<double>> numbers(const Fact& fact, const Fact& constant, int axis, std::size_t count,
                                    const std::string& role) {
  auto values = values_along(*constant.known, fact.layout, axis, count);
  const bool complete =
      values && std::all_of(values->begin(), values->end(), [](double v) { return std::isfinite(v); });
  if (complete) return std::move(*values);
  return fact_error(
      fact, "a constant of shape " + to_string(constant.known->extents) + ", or one with NaN or infinity",
      std::to_string(count) + " finite numbers: " + role);
}

/// The only feature axis of a layout; -1 if there is none.
int feature_axis(const Layout& layout, const Axes& axes) {
  for (const Digits& digits : layout)
    for (const Digit& digit : digits)
      if (axes[static_cast<std::size_t>(digit.axis)].kind == AxisKind::feature) return digit.axis;
  return -1;
}

/// How the product's outputs are numbered: prototype p of class c is output first[c] + p · step.
struct Numbering {
  std::vector<Eigen::Index> first;
  std::size_t prototypes = 1, step = 1;
};

/// From the sum over the prototypes of each class, or from the weighted values if there is one prototype
/// only.
Result<Numbering> read_numbering(const Analysis& analysis, const Fact& sum, const Fact& weighted) {
  Layout classes = weighted.layout;
  Digits summed;
  if (&sum != &weighted) {
    classes = sum.inputs[0]->layout;
    PANTANAL_TRY(const AxisList reduced, reduced_axes(analysis.view(sum), classes.size()));
    for (const std::size_t dimension : reduced) {
      const Digits digits = merged(std::exchange(classes[dimension], {}));
      summed.insert(summed.end(), digits.begin(), digits.end());
    }
  }
  Numbering numbering{feature_rows(classes, analysis.axes()), 1, 1};
  if (summed.empty()) return numbering;
  if (summed.size() != 1 || analysis.axis(summed.front().axis).kind != AxisKind::feature)
    return fact_error(sum, "a sum over " + to_string(sum.inputs[0]->extents()),
                      "a sum over the prototypes of each class");
  numbering.prototypes = static_cast<std::size_t>(summed.front().extent);
  numbering.step = static_cast<std::size_t>(summed.front().stride);
  return numbering;
}

/// numerator / denominator, one denominator for each position, in whatever order and operators.
struct Division {
  const Fact *numerator, *denominator;
};

/// x if `fact` is 1 / x.
const Fact* reciprocal_of(const Fact& fact) {
  if (fact.is("Reciprocal")) return fact.inputs[0]->origin;
  const auto inverse = with_constant(fact, "Div");
  const bool of_one = inverse && fact.inputs[0]->known && inverse->constant->known->scalar() == 1.0;
  return of_one ? inverse->value->origin : nullptr;
}

std::optional<Division> match_division(const Fact& fact, const Axes& axes) {
  if (fact.inputs.size() != 2 || !fact.inputs[0] || !fact.inputs[1]) return std::nullopt;
  std::optional<Division> division;
  if (fact.is("Div")) division = {fact.inputs[0]->origin, fact.inputs[1]->origin};
  for (const std::size_t i : {0, 1})
    if (const Fact* const divisor = fact.is("Mul") ? reciprocal_of(*fact.inputs[i]->origin) : nullptr)
      division = {fact.inputs[1 - i]->origin, divisor};
  const bool per_position = division && !division->numerator->known && !division->denominator->known &&
                            feature_axis(division->denominator->layout, axes) == -1;
  return per_position ? division : std::nullopt;
}

/// What is added to the norm so that silence is not divided by zero. Without such a number, the smallest one,
/// which changes nothing.
constexpr float no_eps = std::numeric_limits<float>::min();

/// ‖x‖ + eps of one position.
struct Length {
  const Fact* vector = nullptr;
  float eps = no_eps;
};

Result<Length> match_length(const Analysis& analysis, const Fact& denominator) {
  Length length;
  const Fact* norm = &denominator;
  if (const auto sum = with_constant(denominator, "Add")) {
    const auto eps = sum->constant->known->scalar();
    if (!eps || !(*eps > 0))
      return fact_error(denominator, "a constant that is not one positive number",
                        "the epsilon that is added to each norm");
    length.eps = static_cast<float>(*eps);
    norm = sum->value->origin;
  }
  PANTANAL_TRY(const NormMatch match, match_norm(analysis, *norm, "the length of each position's embedding"));
  length.vector = match.terms.front()->origin;
  const bool over_channels = match.terms.size() == 1 && match.reduced.size() == 1 &&
                             single_axis(match.terms[0]->layout[match.reduced[0]], analysis.axes());
  if (over_channels) return length;
  return fact_error(*norm, "a norm over something else than the channels",
                    "the length of each position's embedding");
}

/// The product of unit vectors with the prototypes, the division before or after it.
struct Similarity {
  LinearLayer layer;
  const Fact* image = nullptr;
  float eps = no_eps;
};

Result<Similarity> match_similarity(const Analysis& analysis, const Fact& similarities) {
  const std::string role = "the product of each position with the prototypes";
  Similarity similarity;
  const Fact* product = &similarities;
  std::optional<Division> division = match_division(similarities, analysis.axes());
  if (division) product = division->numerator;
  PANTANAL_TRY(similarity.layer, read_linear_layer(analysis, *product, role));
  if (!similarity.layer.is_dense() || !similarity.layer.bias.empty())
    return fact_error(*product, "a convolution with a kernel, or a bias", "a plain product: " + role);
  similarity.image = similarity.layer.input;
  const Fact& factor = *similarity.layer.input;
  if (!division && factor.is("LpNormalization")) {
    const NodeView node = analysis.view(factor);
    PANTANAL_TRY(const std::int64_t p, node.integer("p", 2));
    PANTANAL_TRY(const std::int64_t axis_number, node.integer("axis", -1));
    PANTANAL_TRY(const std::size_t dimension, node.axis(axis_number, factor.layout.size()));
    if (p != 2 || !single_axis(factor.layout[dimension], analysis.axes()))
      return fact_error(factor, "another norm, or over something else than the channels",
                        "p = 2 over the channels");
    similarity.image = factor.inputs[0]->origin;
    return similarity;
  }
  if (!division) division = match_division(factor, analysis.axes());
  if (!division)
    return fact_error(factor, operator_of(factor), "the embedding of each position divided by its length");
  if (product == &similarities) similarity.image = division->numerator;
  PANTANAL_TRY(const Length length, match_length(analysis, *division->denominator));
  if (length.vector != similarity.image)
    return fact_error(*division->denominator, "the length of what " + length.vector->describe() + " gives",
                      "of what is divided by it, from " + similarity.image->describe());
  similarity.eps = length.eps;
  return similarity;
}

/// Reads the tables in the numbering's order.
Status read_tables(const LinearLayer& layer, const Numbering& numbering, const std::vector<double>& scale,
                   const std::vector<double>& bias, LabelMatch& match) {
  match.prototypes.reserve(layer.outputs * layer.inputs);
  for (const Eigen::Index first : numbering.first)
    for (std::size_t p = 0; p < numbering.prototypes; ++p) {
      const std::size_t output = static_cast<std::size_t>(first) + p * numbering.step;
      if (output >= layer.outputs)
        return fact_error(*layer.fact, "fewer prototypes than the sum over them needs",
                          "one order of prototypes");
      match.scale.push_back(static_cast<float>(scale[output]));
      for (std::size_t i = 0; i < layer.inputs; ++i)
        match.prototypes.push_back(static_cast<float>(layer.weight(output, i, 0)));
    }
  match.bias.assign(bias.begin(), bias.end());
  if (all_finite(match.prototypes) && all_finite(match.scale) && all_finite(match.bias)) return {};
  return fact_error(*layer.fact, "prototypes that are NaN, infinite or beyond float32", "finite ones",
                    ErrorCode::corrupt);
}

}  // namespace

Result<LabelMatch> match_label_head(const Analysis& analysis, const Fact& logits) {
  LabelMatch match;
  const Fact& biased = *logits.origin;
  PANTANAL_TRY(const WithConstant bias, require_constant(biased, "Add", "the bias of each class"));
  const Fact& sum = *bias.value->origin;
  const Fact& weighted = sum.is("ReduceSum") ? *sum.inputs[0]->origin : sum;
  PANTANAL_TRY(const WithConstant scale, require_constant(weighted, "Mul", "max(0, k) of each prototype"));
  PANTANAL_TRY(const Fact* const best, match_pooling(analysis, *scale.value, Pooling::maximum,
                                                     "the best position of each prototype"));
  PANTANAL_TRY(const Similarity similarity, match_similarity(analysis, *best->origin));
  PANTANAL_TRY(const Numbering numbering, read_numbering(analysis, sum, weighted));
  const LinearLayer& layer = similarity.layer;
  if (numbering.first.size() * numbering.prototypes != layer.outputs)
    return fact_error(sum,
                      std::to_string(numbering.first.size()) + " classes of " +
                          std::to_string(numbering.prototypes) + " prototypes",
                      std::to_string(layer.outputs) + " prototypes in all", ErrorCode::mismatch);
  PANTANAL_TRY(const auto scales,
               numbers(weighted, *scale.constant, layer.axis, layer.outputs, "max(0, k) of each prototype"));
  const int class_axis = feature_axis(biased.layout, analysis.axes());
  PANTANAL_TRY(const auto biases,
               numbers(biased, *bias.constant, class_axis, numbering.first.size(), "the bias of each class"));
  match.head = {numbering.first.size(), numbering.prototypes, similarity.eps};
  match.image = similarity.image;
  match.product = layer.fact;
  match.weighted = &weighted;
  PANTANAL_TRY_STATUS(read_tables(layer, numbering, scales, biases, match));
  return match;
}

}  // namespace pantanal::convert
