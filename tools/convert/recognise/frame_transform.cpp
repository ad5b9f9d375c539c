#include "recognise/frame_transform.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <utility>

#include "analysis/merge_layouts.hpp"
#include "analysis/select_rules.hpp"
#include "analysis/strided.hpp"
#include "recognise/axis_values.hpp"
#include "recognise/framing.hpp"
#include "recognise/linear_layer.hpp"

namespace pantanal::convert {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

/// Where the features of one dimension come from: index i of the output is index source(dimension, i) of the
/// input, or zero if that is negative.
using Source = std::function<std::int64_t(std::size_t dimension, std::int64_t index)>;

/// Rows of the output of a node that takes features, or puts zeros around them.
MatrixXd rearranged(const MatrixXd& matrix, const Layout& layout, const Dims& extents, const Axes& axes,
                    const Source& source) {
  Shape shape;
  std::vector<std::size_t> dimensions;
  for (std::size_t i = 0; i < layout.size(); ++i) {
    const bool changed = extents[i] != extent_of(layout[i]);
    if (!changed && (layout[i].empty() || !is_feature(layout[i], axes))) continue;
    dimensions.push_back(i);
    shape.push_back(extents[i].fixed);
  }
  MatrixXd result = MatrixXd::Zero(element_count(shape).value_or(0), matrix.cols());
  const std::vector<std::int64_t> dense = dense_strides(shape);
  for (Index row = 0; row < result.rows(); ++row) {
    std::int64_t from = 0, rest = row;
    bool inside = true;
    for (std::size_t k = 0; k < dimensions.size(); rest %= dense[k], ++k) {
      std::int64_t index = source(dimensions[k], rest / dense[k]);
      inside = inside && index >= 0;
      const Digits& digits = layout[dimensions[k]];
      for (std::size_t d = digits.size(); d-- > 0 && inside; index /= digits[d].extent)
        from += index % digits[d].extent * digits[d].stride;
    }
    if (inside) result.row(row) = matrix.row(from);
  }
  return result;
}

Result<MatrixXd> padded(const Analysis& analysis, const Fact& fact, const MatrixXd& matrix) {
  const NodeView node = analysis.view(fact);
  PANTANAL_TRY(const ZeroPads pads, zero_pads(node));
  PANTANAL_TRY(const Fact* const input, padded_value(node));
  const Dims inner = input->extents(), outer = fact.extents();
  double rows = 1;
  for (std::size_t i = 0; i < pads.size(); ++i) {
    if (pads[i].first + pads[i].second == 0) continue;
    if (!is_feature(input->layout[i], analysis.axes()))
      return fact_error(fact, "zeros around the frames",
                        "zeros around the samples or behind the samples of a frame");
    rows *= static_cast<double>(outer[i].fixed);
  }
  PANTANAL_TRY_STATUS(check_matrix_size(fact, rows, static_cast<double>(matrix.cols())));
  return rearranged(matrix, input->layout, outer, analysis.axes(),
                    [&](std::size_t dimension, std::int64_t index) {
                      const std::int64_t at = index - pads[dimension].first;
                      return at < inner[dimension].fixed ? at : -1;
                    });
}

/// Which output of its node a fact is.
std::size_t output_index(const Fact& fact) {
  const auto& outputs = fact.node->outputs;
  return static_cast<std::size_t>(std::find(outputs.begin(), outputs.end(), fact.name) - outputs.begin());
}

Result<MatrixXd> selected(const Analysis& analysis, const Fact& fact, const MatrixXd& matrix) {
  PANTANAL_TRY(const auto outputs, selections(analysis.view(fact)));
  const std::vector<Selection>& selection = outputs[output_index(fact)];
  const Fact& input = *fact.inputs[0];
  Dims extents = input.extents();
  for (const Selection& part : selection)
    extents[part.dimension] = {static_cast<std::int64_t>(part.indices.size())};
  return rearranged(matrix, input.layout, extents, analysis.axes(),
                    [&](std::size_t dimension, std::int64_t index) {
                      for (const Selection& part : selection)
                        if (part.dimension == dimension) return part.indices[static_cast<std::size_t>(index)];
                      return index;
                    });
}

/// Rows 2·bin and 2·bin + 1: real and imaginary part.
Result<MatrixXd> transformed(const Analysis& analysis, const Fact& fact, const MatrixXd& matrix) {
  PANTANAL_TRY(const DftForm form, dft_form(analysis.view(fact)));
  if (!single_axis(fact.inputs[0]->layout[form.dimension], analysis.axes()))
    return fact_error(fact, "a transform over something else than the samples of a frame",
                      "one over them, in order");
  const Index used = std::min<Index>(matrix.rows(), form.length);
  PANTANAL_TRY_STATUS(
      check_matrix_size(fact, 2.0 * static_cast<double>(form.bins), static_cast<double>(form.length)));
  PANTANAL_TRY_STATUS(
      check_matrix_size(fact, 2.0 * static_cast<double>(form.bins), static_cast<double>(matrix.cols())));
  MatrixXd waves(2 * form.bins, used);
  for (Index bin = 0; bin < form.bins; ++bin)
    for (Index t = 0; t < used; ++t) {
      const double angle = 2 * std::numbers::pi * static_cast<double>(bin * t % form.length) /
                           static_cast<double>(form.length);
      waves(2 * bin, t) = std::cos(angle);
      waves(2 * bin + 1, t) = -std::sin(angle);
    }
  return MatrixXd(waves * matrix.topRows(used));
}

Result<MatrixXd> multiplied(const Analysis& analysis, const Fact& fact, const MatrixXd& matrix) {
  PANTANAL_TRY(const LinearLayer layer, read_linear_layer(analysis, fact, "part of the DFT of each frame"));
  if (!layer.is_dense() || !layer.bias.empty())
    return fact_error(fact, layer.bias.empty() ? "a convolution over several frames" : "a bias",
                      "a product with a DFT matrix");
  PANTANAL_TRY_STATUS(check_matrix_size(fact, static_cast<double>(layer.outputs),
                                        static_cast<double>(std::max<Index>(matrix.cols(), matrix.rows()))));
  MatrixXd weights(layer.outputs, layer.inputs);
  for (std::size_t o = 0; o < layer.outputs; ++o)
    for (std::size_t i = 0; i < layer.inputs; ++i)
      weights(static_cast<Index>(o), static_cast<Index>(i)) = layer.weight(o, i, 0);
  return MatrixXd(weights * matrix);
}

/// Mul or Div by a constant, per feature; Neg.
Result<MatrixXd> scaled(const Fact& fact, MatrixXd matrix, const Axes& axes) {
  if (fact.is("Neg")) return MatrixXd(-matrix);
  const bool constant_first = fact.inputs[0]->known.has_value();
  const Known& constant = *fact.inputs[constant_first ? 0 : 1]->known;
  int axis = -1;
  for (const Digits& digits : fact.layout)
    if (!digits.empty() && is_feature(digits, axes)) axis = digits.front().axis;
  const auto factors = values_along(constant, fact.layout, axis, static_cast<std::size_t>(matrix.rows()));
  if (!factors || std::any_of(factors->begin(), factors->end(), [](double f) { return std::isnan(f); }))
    return fact_error(fact, "a constant of shape " + to_string(constant.extents),
                      "one factor per sample of a frame");
  for (Index row = 0; row < matrix.rows(); ++row) {
    const double factor = (*factors)[static_cast<std::size_t>(row)];
    matrix.row(row) *= fact.is("Div") ? 1 / factor : factor;
  }
  return matrix;
}

bool is_scaling(const Fact& fact) {
  if (fact.is("Neg")) return true;
  if ((!fact.is("Mul") && !fact.is("Div")) || fact.inputs.size() != 2 || !fact.inputs[0] || !fact.inputs[1])
    return false;
  return fact.inputs[1]->known || (fact.is("Mul") && fact.inputs[0]->known);
}

/// The value that a node after the framing is applied to.
const Fact* linear_input(const Analysis& analysis, const Fact& fact) {
  if (fact.is("Pad") || fact.is("Concat")) {
    const auto input = padded_value(analysis.view(fact));
    return input ? *input : nullptr;
  }
  if (is_scaling(fact)) return fact.inputs[0]->known ? fact.inputs[1] : fact.inputs[0];
  if (is_linear(fact) && fact.inputs[0]->known) return fact.inputs[1];
  const bool takes_first =
      is_linear(fact) || fact.is("DFT") || fact.is("Slice") || fact.is("Split") || fact.is("Gather");
  return takes_first ? fact.inputs[0] : nullptr;
}

/// All features of a value must be indices of one axis, the matrix's rows.
Status check_one_axis(const Fact& value, const MatrixXd& matrix, const Axes& axes) {
  int axis = -1;
  for (const Digits& digits : value.layout)
    for (const Digit& digit : digits) {
      if (axes[static_cast<std::size_t>(digit.axis)].kind != AxisKind::feature) continue;
      if (axis == -1) axis = digit.axis;
      if (axis != digit.axis || axes[static_cast<std::size_t>(axis)].extent != matrix.rows())
        return fact_error(value, to_string(value.extents()) + " with several kinds of features",
                          "frames of one kind of features");
    }
  return {};
}

Result<MatrixXd> apply(const Analysis& analysis, const Fact& fact, MatrixXd matrix) {
  if (fact.is("Pad") || fact.is("Concat")) return padded(analysis, fact, matrix);
  if (fact.is("DFT")) return transformed(analysis, fact, matrix);
  if (is_linear(fact)) return multiplied(analysis, fact, matrix);
  if (is_scaling(fact)) return scaled(fact, std::move(matrix), analysis.axes());
  return selected(analysis, fact, matrix);
}

}  // namespace

std::vector<Eigen::Index> feature_rows(const Layout& layout, const Axes& axes) {
  Shape extents;
  std::vector<std::int64_t> strides;
  for (const Digits& digits : layout)
    for (const Digit& digit : digits)
      if (axes[static_cast<std::size_t>(digit.axis)].kind == AxisKind::feature) {
        extents.push_back(digit.extent);
        strides.push_back(digit.stride);
      }
  std::vector<Eigen::Index> rows;
  for_each_offset(extents, strides, 0,
                  [&](std::size_t row) { rows.push_back(static_cast<Eigen::Index>(row)); });
  return rows;
}

Result<FrameTransform> read_frame_transform(const Analysis& analysis, const Fact& value) {
  std::vector<const Fact*> chain;
  const Fact* fact = value.origin;
  while (!is_framing(*fact)) {
    const Fact* const before = linear_input(analysis, *fact);
    if (!before)
      return fact_error(*fact, operator_of(*fact),
                        "framing (a Conv with a stride over the samples), window, DFT");
    chain.push_back(fact);
    fact = before->origin;
  }
  PANTANAL_TRY(FrameTransform transform, read_framing(analysis, *fact));
  for (auto node = chain.rbegin(); node != chain.rend(); ++node) {
    PANTANAL_TRY_STATUS(check_one_axis(*linear_input(analysis, **node), transform.matrix, analysis.axes()));
    PANTANAL_TRY(transform.matrix, apply(analysis, **node, std::move(transform.matrix)));
  }
  PANTANAL_TRY_STATUS(check_one_axis(value, transform.matrix, analysis.axes()));
  return transform;
}

}  // namespace pantanal::convert
