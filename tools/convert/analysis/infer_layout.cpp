#include "analysis/infer_layout.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>

#include "analysis/linear_rules.hpp"
#include "analysis/merge_layouts.hpp"
#include "analysis/scalar_function.hpp"
#include "analysis/select_rules.hpp"
#include "analysis/shape_rules.hpp"

namespace pantanal::convert {
namespace {

using Layouts = Result<std::vector<Layout>>;
using Rule = Layouts (*)(const NodeView&, Axes&);

/// The first input, which must not be known.
Result<const Fact*> signal(const NodeView& node) {
  PANTANAL_TRY(const Fact* const input, node.input(0));
  if (!input->known) return input;
  return node.error("a constant as first input", "a value that depends on the model's input");
}

Layouts same_layout(const NodeView& node, Axes&) {
  PANTANAL_TRY(const Fact* const input, signal(node));
  return only(input->layout);
}

Layouts dropout(const NodeView& node, Axes& axes) {
  const Fact* const training = node.optional_input(2);
  const bool off = !training || (training->known && training->known->integers().front() == Dim{0});
  if (!off) return node.error("training mode", "inference, where Dropout does nothing");
  return same_layout(node, axes);
}

Layouts cast(const NodeView& node, Axes& axes) {
  PANTANAL_TRY(const std::int64_t type, node.required_integer("to"));
  if (type == 1 || type == 11) return same_layout(node, axes);
  return node.error("a cast to element type " + std::to_string(type),
                    "float (1) or double (11): Perch v2 computes in float32");
}

Layouts batch_normalization(const NodeView& node, Axes& axes) {
  PANTANAL_TRY(const std::int64_t training, node.integer("training_mode", 0));
  if (training) return node.error("training mode", "inference, with the statistics of training");
  return same_layout(node, axes);
}

Layouts transpose(const NodeView& node, Axes&) {
  PANTANAL_TRY(const Fact* const input, signal(node));
  PANTANAL_TRY(const AxisList order, permutation(node, input->layout.size()));
  return only(permuted(input->layout, order));
}

Layouts reshape(const NodeView& node, Axes&) {
  PANTANAL_TRY(const Fact* const input, signal(node));
  PANTANAL_TRY(const Dims extents, reshaped_extents(node, input->extents()));
  if (auto layout = reshaped(input->layout, extents)) return only(std::move(*layout));
  return node.error(to_string(input->extents()) + " reshaped to " + to_string(extents) + ", which mixes axes",
                    "a shape that keeps time, frequency and channels apart");
}

Layouts squeeze(const NodeView& node, Axes&) {
  PANTANAL_TRY(const Fact* const input, signal(node));
  PANTANAL_TRY(const AxisList axes, squeezed_axes(node, input->extents()));
  return only(without(input->layout, axes));
}

Layouts unsqueeze(const NodeView& node, Axes&) {
  PANTANAL_TRY(const Fact* const input, signal(node));
  PANTANAL_TRY(const AxisList axes, unsqueezed_axes(node, input->layout.size()));
  return only(with(input->layout, axes, Digits()));
}

Layouts expand(const NodeView& node, Axes& axes) {
  PANTANAL_TRY(const Fact* const input, signal(node));
  PANTANAL_TRY(const Dims extents, expanded_extents(node, input->extents()));
  PANTANAL_TRY(Layout layout, merge_layouts(node, {input->layout}, {extents}, axes));
  return only(std::move(layout));
}

Layouts elementwise(const NodeView& node, Axes& axes) {
  PANTANAL_TRY_STATUS(scalar_function(node));  // checks attributes and the number of inputs
  std::vector<Layout> layouts;
  std::vector<Dims> constants;
  for (const Fact* input : node.inputs()) {
    if (!input) continue;
    if (input->known)
      constants.push_back(input->known->extents);
    else
      layouts.push_back(input->layout);
  }
  PANTANAL_TRY(Layout layout, merge_layouts(node, layouts, constants, axes));
  return only(std::move(layout));
}

/// Features that stay when others of their axis go are numbered anew.
Layouts reduce(const NodeView& node, Axes& axes) {
  PANTANAL_TRY(const Fact* const input, signal(node));
  PANTANAL_TRY(const AxisList reduced, reduced_axes(node, input->layout.size()));
  PANTANAL_TRY(const bool keep, keeps_dimensions(node));
  Layout layout = input->layout;
  bool features = false;
  for (const std::size_t dimension : reduced) {
    features = features || (!layout[dimension].empty() && is_feature(layout[dimension], axes));
    layout[dimension] = {};
  }
  if (features) {
    PANTANAL_TRY(layout, renumbered(node, layout, {}, extents_of(layout), axes));
  }
  return only(keep ? std::move(layout) : without(layout, reduced));
}

/// Pools over the whole image only.
Layouts pool(const NodeView& node, Axes&) {
  PANTANAL_TRY(const Fact* const input, signal(node));
  Layout layout = input->layout;
  if (layout.size() < 3)
    return node.error("rank " + std::to_string(layout.size()), "an image", ErrorCode::mismatch);
  const bool global = node.node().op.starts_with("Global");
  PANTANAL_TRY(const Shape kernel, global ? Result<Shape>(Shape()) : pool_kernel(node, layout.size() - 2));
  const Dims image = extents_of(Layout(layout.begin() + 2, layout.end()));
  if (!global) {
    PANTANAL_TRY(const auto windows, sliding_windows(node, image, kernel));
    for (const Sliding& window : windows)
      if (window.pad_begin + window.pad_end != 0 || window.dilation != 1 || fixed_dims(kernel) != image)
        return node.error("a pool over part of the image", "one over all of it");
  }
  std::fill(layout.begin() + 2, layout.end(), Digits());
  return only(std::move(layout));
}

/// What a window makes of the dimension it slides over: the same axis with another extent.
Result<Digits> slid(const NodeView& node, const Sliding& window, const Digits& digits, Axes& axes) {
  if (window.is_pointwise()) return digits;
  const std::int64_t extent = extent_of(digits).fixed, output = window.output(extent);
  if (digits.empty() && output == 1) return digits;
  const bool one_axis = digits.size() == 1 && digits.front().stride == 1 && digits.front().axis != batch_axis;
  if (!one_axis)
    return node.error(
        "a convolution over a dimension of extent " + std::to_string(extent) + " that is no single axis",
        "one that slides over time or frequency");
  Axis& axis = axes[static_cast<std::size_t>(digits.front().axis)];
  if (axis.kind == AxisKind::feature && axis.extent == extent) axis.kind = AxisKind::frequency;
  return whole_axis(digits.front().axis, output);
}

Layouts convolution(const NodeView& node, Axes& axes) {
  PANTANAL_TRY(const Fact* const input, signal(node));
  PANTANAL_TRY(const Fact* const weight, node.input(1));
  const Layout& in = input->layout;
  if (!weight->known || !weight->known->is_real() || weight->known->repeats())
    return node.error("a weight that is computed from the input", "a constant weight");
  const Shape& shape = weight->known->shape;
  if (in.size() < 3 || shape.size() != in.size())
    return node.error(
        "an input of rank " + std::to_string(in.size()) + " and a weight of shape " + to_string(shape),
        "ranks that agree, 3 or 4", ErrorCode::mismatch);
  PANTANAL_TRY(const std::int64_t groups, node.integer("group", 1));
  const bool divides =
      groups > 0 && shape[0] > 0 && shape[0] % groups == 0 && shape[1] > 0 && shape[1] < 1 << 30;
  if (!divides || groups > 1 << 30 || extent_of(in[1]) != Dim{shape[1] * groups})
    return node.error(to_string(extents_of(in)) + " convolved in " + std::to_string(groups) +
                          " groups with a weight of "
                          "shape " +
                          to_string(shape),
                      "channels that agree", ErrorCode::mismatch);
  const Dims image = extents_of(Layout(in.begin() + 2, in.end()));
  PANTANAL_TRY(const auto windows, sliding_windows(node, image, Shape(shape.begin() + 2, shape.end())));
  Layout out{in[0], {}};
  for (std::size_t i = 0; i < windows.size(); ++i) {
    PANTANAL_TRY(Digits digits, slid(node, windows[i], in[2 + i], axes));
    out.push_back(std::move(digits));
  }
  out[1] = new_axis(shape[0], axes);
  return only(std::move(out));
}

Layouts matrix(const NodeView& node, Axes& axes) {
  PANTANAL_TRY(const MatrixProduct product, matrix_product(node));
  const Layout& in = product.value->layout;
  Layout out(in.begin(), in.end() - 2);
  out.push_back(in[product.kept]);
  out.insert(out.end() - (product.outputs_lead ? 1 : 0), new_axis(product.outputs, axes));
  const std::size_t matrix_rank = product.matrix->known->shape.size();
  if (out.size() < matrix_rank) out.insert(out.begin(), matrix_rank - out.size(), Digits());
  const Fact* const added = node.optional_input(2);
  if (added && !added->known) return node.error("a bias that is computed from the input", "a constant bias");
  return only(std::move(out));
}

/// One-sided or full transform of real numbers; the result's (bin, part) are two digits of one new axis.
Layouts dft(const NodeView& node, Axes& axes) {
  PANTANAL_TRY(const DftForm form, dft_form(node));
  PANTANAL_TRY(const Fact* const input, signal(node));
  Layout out = input->layout;
  const Digits whole = new_axis(2 * form.bins, axes);
  out[form.dimension] = form.bins > 1 ? Digits{{whole.front().axis, form.bins, 2}} : Digits();
  out.back() = {{whole.front().axis, 2, 1}};
  return only(std::move(out));
}

const std::map<std::string_view, Rule>& rules() {
  static const std::map<std::string_view, Rule> table = {
      {"AveragePool", pool},
      {"BatchNormalization", batch_normalization},
      {"Cast", cast},
      {"Concat", infer_pad},
      {"Conv", convolution},
      {"DFT", dft},
      {"Dropout", dropout},
      {"Expand", expand},
      {"Flatten", reshape},
      {"Gather", infer_gather},
      {"Gemm", matrix},
      {"GlobalAveragePool", pool},
      {"GlobalMaxPool", pool},
      {"LpNormalization", same_layout},
      {"MatMul", matrix},
      {"MaxPool", pool},
      {"Pad", infer_pad},
      {"ReduceL1", reduce},
      {"ReduceL2", reduce},
      {"ReduceMax", reduce},
      {"ReduceMean", reduce},
      {"ReduceMin", reduce},
      {"ReduceSum", reduce},
      {"ReduceSumSquare", reduce},
      {"Reshape", reshape},
      {"Slice", infer_selection},
      {"Split", infer_selection},
      {"Squeeze", squeeze},
      {"Transpose", transpose},
      {"Unsqueeze", unsqueeze},
  };
  return table;
}

}  // namespace

Layouts infer_layout(const NodeView& node, Axes& axes) {
  const std::string_view op = node.node().op;
  if (!node.node().domain.empty() || (!rules().contains(op) && !is_elementwise(op)))
    return node.error("operator " + operator_name(node.node()),
                      "one of the operators Perch v2 is written with");
  PANTANAL_TRY(std::vector<Layout> layouts,
               is_elementwise(op) ? elementwise(node, axes) : rules().at(op)(node, axes));
  for (const Layout& layout : layouts)
    if (!product(extents_of(layout)))
      return node.error("an output of shape " + to_string(extents_of(layout)), "one that fits into memory");
  return layouts;
}

bool is_view(const NodeView& node) {
  static constexpr std::string_view ops[] = {"Cast",    "Dropout", "Expand",    "Flatten",  "Identity",
                                             "Reshape", "Squeeze", "Transpose", "Unsqueeze"};
  return std::find(std::begin(ops), std::end(ops), node.node().op) != std::end(ops);
}

}  // namespace pantanal::convert
