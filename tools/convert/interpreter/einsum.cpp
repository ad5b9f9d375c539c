// Einsum of one or two operands, as one batched matrix product.
#include <algorithm>
#include <map>
#include <string>

#include "interpreter/indexing.hpp"
#include "interpreter/matrix.hpp"
#include "interpreter/operator.hpp"

namespace pantanal::convert::interpreter {
namespace {

/// Names of axes: letters, and for the axes of an ellipsis negative numbers, -1 for the last of them.
using Labels = std::vector<int>;

struct Equation {
  std::vector<Labels> operands;
  Labels result;
};

bool contains(const Labels& labels, int label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

/// The labels of a term such as "a...b". Its ellipsis stands for `ellipsis` axes or, if the rank is known,
/// for what the letters leave of it. Nothing if the term is malformed or does not have that rank.
std::optional<Labels> parse_term(const std::string& term, int ellipsis, std::optional<std::size_t> rank) {
  const std::size_t dots = term.find("...");
  const bool has_dots = dots != std::string::npos;
  const std::string letters = has_dots ? term.substr(0, dots) + term.substr(dots + 3) : term;
  for (const char c : letters)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) return std::nullopt;
  if (rank && (letters.size() > *rank || (!has_dots && letters.size() != *rank))) return std::nullopt;
  if (rank) ellipsis = static_cast<int>(*rank - letters.size());
  Labels labels(letters.begin(), letters.end());
  for (int axis = 1; has_dots && axis <= ellipsis; ++axis)
    labels.insert(labels.begin() + static_cast<std::ptrdiff_t>(dots), -axis);
  return labels;
}

/// Without "->": the ellipsis, then every letter that occurs once, sorted.
Labels implicit_result(const std::vector<Labels>& operands) {
  std::map<int, int> occurrences;
  for (const Labels& labels : operands)
    for (const int label : labels) ++occurrences[label];
  Labels result;
  for (const auto& [label, count] : occurrences)
    if (label < 0 || count == 1) result.push_back(label);
  return result;
}

/// Whether every label of the result is there once and in an operand.
bool is_complete(const Equation& equation) {
  return std::all_of(equation.result.begin(), equation.result.end(), [&](int label) {
    return std::count(equation.result.begin(), equation.result.end(), label) == 1 &&
           std::any_of(equation.operands.begin(), equation.operands.end(),
                       [&](const Labels& labels) { return contains(labels, label); });
  });
}

template <class Real>
Result<Equation> parse_equation(const Call<Real>& call) {
  PANTANAL_TRY(std::string text, call.text("equation", ""));
  const Error malformed =
      call.attribute_error("equation", "'" + text + "'", "terms that fit the operands' ranks");
  std::erase(text, ' ');
  const std::size_t arrow = text.find("->");
  std::string left = text.substr(0, arrow) + ",";
  Equation equation;
  int ellipsis = 0;
  for (std::size_t comma; (comma = left.find(',')) != std::string::npos; left.erase(0, comma + 1)) {
    if (equation.operands.size() == call.input_count()) return malformed;
    const auto labels = parse_term(left.substr(0, comma), 0, call.input(equation.operands.size()).rank());
    if (!labels) return malformed;
    for (const int label : *labels) ellipsis = std::max(ellipsis, -label);
    equation.operands.push_back(*labels);
  }
  if (equation.operands.size() != call.input_count()) return malformed;
  const auto result = arrow == std::string::npos ? std::optional(implicit_result(equation.operands))
                                                 : parse_term(text.substr(arrow + 2), ellipsis, std::nullopt);
  if (!result) return malformed;
  equation.result = *result;
  if (!is_complete(equation)) return malformed;
  return equation;
}

/// The extent of every label; axes of extent 1 are broadcast to those of the same label.
template <class Real>
Result<std::map<int, std::int64_t>> read_extents(const Call<Real>& call, const Equation& equation) {
  std::map<int, std::int64_t> extents;
  for (std::size_t i = 0; i < call.input_count(); ++i)
    for (std::size_t axis = 0; axis < equation.operands[i].size(); ++axis) {
      const std::int64_t extent = call.input(i).shape[axis];
      std::int64_t& known = extents.try_emplace(equation.operands[i][axis], extent).first->second;
      if (known == 1) known = extent;
      if (extent != known && extent != 1)
        return call.error(ErrorCode::mismatch, call.describe(i),
                          "extent " + std::to_string(known) + " at axis " + std::to_string(axis));
    }
  return extents;
}

/// The operand with axes `order`: one of the same label twice is its diagonal, one it lacks repeats it.
template <class Real>
Result<Tensor<Real>> arranged(const Call<Real>& call, const Tensor<Real>& operand, const Labels& labels,
                              const Labels& order, const std::map<int, std::int64_t>& extents) {
  const Strides own = row_major_strides(operand.shape);
  Shape shape;
  Strides strides(order.size(), 0);
  for (std::size_t i = 0; i < order.size(); ++i) {
    shape.push_back(extents.at(order[i]));
    for (std::size_t axis = 0; axis < labels.size(); ++axis)
      if (labels[axis] == order[i] && operand.shape[axis] == shape[i]) strides[i] += own[axis];
  }
  PANTANAL_TRY_STATUS(call.size_of(shape));
  return strided(operand, shape, strides);
}

/// Labels by their part in the product [batch, rows, depth] · [batch, depth, columns].
struct Roles {
  Labels batch, rows, depth, columns;

  Roles(const Labels& a, const Labels& b, const Labels& result) {
    for (const int label : result)
      (!contains(a, label) ? columns : contains(b, label) ? batch : rows).push_back(label);
    for (const Labels& labels : {a, b})
      for (const int label : labels)
        if (!contains(result, label) && !contains(depth, label)) depth.push_back(label);
  }
};

Labels join(const Labels& a, const Labels& b, const Labels& c) {
  Labels all = a;
  all.insert(all.end(), b.begin(), b.end());
  all.insert(all.end(), c.begin(), c.end());
  return all;
}

template <class Real>
Result<Tensors<Real>> einsum(const Call<Real>& call) {
  if (call.input_count() > 2)
    return call.error(ErrorCode::unsupported, std::to_string(call.input_count()) + " operands", "one or two");
  for (std::size_t i = 0; i < call.input_count(); ++i) PANTANAL_TRY_STATUS(call.expect(i, Kind::real));
  PANTANAL_TRY(Equation equation, parse_equation(call));
  PANTANAL_TRY(const auto extents, read_extents(call, equation));
  const Tensor<Real> one = real_tensor<Real>({}, {1});
  const bool is_pair = call.input_count() == 2;
  equation.operands.resize(2);

  const Roles roles(equation.operands[0], equation.operands[1], equation.result);
  PANTANAL_TRY(const Tensor<Real> a, arranged(call, call.input(0), equation.operands[0],
                                              join(roles.batch, roles.rows, roles.depth), extents));
  PANTANAL_TRY(const Tensor<Real> b, arranged(call, is_pair ? call.input(1) : one, equation.operands[1],
                                              join(roles.batch, roles.depth, roles.columns), extents));
  const Labels order = join(roles.batch, roles.rows, roles.columns);
  Shape shape;
  for (const int label : order) shape.push_back(extents.at(label));
  PANTANAL_TRY(const std::size_t size, call.size_of(shape));

  const auto count = [&](const Labels& labels) {
    std::int64_t product = 1;
    for (const int label : labels) product *= extents.at(label);
    return product;
  };
  const std::int64_t rows = count(roles.rows), depth = count(roles.depth), columns = count(roles.columns);
  PANTANAL_TRY_STATUS(call.check_work({static_cast<std::int64_t>(size), depth}));
  std::vector<Real> result(size);
  for (std::int64_t i = 0; i < count(roles.batch); ++i)
    multiply_matrices(a.reals->data() + i * rows * depth, b.reals->data() + i * depth * columns,
                      result.data() + i * rows * columns, rows, depth, columns);
  PANTANAL_TRY(Tensor<Real> ordered,
               arranged(call, real_tensor(shape, std::move(result)), order, equation.result, extents));
  return Tensors<Real>{std::move(ordered)};
}

}  // namespace

template <class Real>
Operators<Real> einsum_operators() {
  return {{"Einsum", einsum<Real>, 1, variadic, 1, {"equation"}}};
}

template Operators<float> einsum_operators<float>();
template Operators<double> einsum_operators<double>();

}  // namespace pantanal::convert::interpreter
