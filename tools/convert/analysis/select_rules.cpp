#include "analysis/select_rules.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "analysis/merge_layouts.hpp"
#include "analysis/shape_rules.hpp"

namespace pantanal::convert {
namespace {

constexpr std::int64_t largest_index = std::int64_t{1} << 24;

/// Ranges as lists of indices.
std::vector<Selection> selected(const std::vector<AxisRange>& ranges, const Dims& extents) {
  std::vector<Selection> selections;
  for (const AxisRange& range : ranges) {
    if (extents[range.axis] == Dim{range.count} && range.step == 1) continue;
    Selection selection{range.axis, std::vector<std::int64_t>(static_cast<std::size_t>(range.count))};
    for (std::int64_t i = 0; i < range.count; ++i)
      selection.indices[static_cast<std::size_t>(i)] = range.start + i * range.step;
    selections.push_back(std::move(selection));
  }
  return selections;
}

Result<std::vector<Selection>> gathered(const NodeView& node, const Dims& extents) {
  PANTANAL_TRY(const std::int64_t axis_number, node.integer("axis", 0));
  PANTANAL_TRY(const std::size_t dimension, node.axis(axis_number, extents.size()));
  PANTANAL_TRY(const auto given, node.integer_input(1));
  const Dim extent = extents[dimension];
  if (!given || !extent.is_fixed()) return node.error("elements taken from the batch", "all of the batch");
  std::vector<std::int64_t> indices = *given,
                            all(static_cast<std::size_t>(std::min(extent.fixed, largest_index)));
  for (std::int64_t& index : indices) {
    if (index < 0) index += extent.fixed;
    if (index < 0 || index >= extent.fixed)
      return node.error("index " + std::to_string(index), "one of " + std::to_string(extent.fixed),
                        ErrorCode::mismatch);
  }
  std::iota(all.begin(), all.end(), 0);
  if (indices.empty()) return node.error("no indices", "at least one", ErrorCode::mismatch);
  return indices == all ? std::vector<Selection>() : std::vector{Selection{dimension, std::move(indices)}};
}

bool is_zero(const Known& known) {
  if (!known.is_real()) return false;
  for (std::size_t i = 0; i < known.size(); ++i)
    if (known.real(i) != 0) return false;
  return true;
}

/// Pads of a Concat: what stands before and after the one value.
Result<ZeroPads> concatenated_zeros(const NodeView& node) {
  PANTANAL_TRY(const Fact* const value, padded_value(node));
  PANTANAL_TRY(const std::int64_t axis_number, node.required_integer("axis"));
  const Dims extents = value->extents();
  PANTANAL_TRY(const std::size_t axis, node.axis(axis_number, extents.size()));
  ZeroPads pads(extents.size());
  bool before = true;
  for (const Fact* input : node.inputs()) {
    if (input == value) {
      before = false;
      continue;
    }
    Dims expected = extents;
    if (input->extents().size() == extents.size()) expected[axis] = input->extents()[axis];
    if (!is_zero(*input->known) || input->extents() != expected || !expected[axis].is_fixed())
      return node.error("a value joined with constants", "with nothing but zeros before and behind");
    (before ? pads[axis].first : pads[axis].second) += expected[axis].fixed;
  }
  return pads;
}

}  // namespace

Result<std::vector<std::vector<Selection>>> selections(const NodeView& node) {
  PANTANAL_TRY(const Fact* const input, node.input(0));
  const Dims extents = input->extents();
  std::vector<std::vector<Selection>> outputs;
  if (node.is("Split")) {
    PANTANAL_TRY(const std::vector<AxisRange> ranges, split_ranges(node, extents));
    for (const AxisRange& range : ranges) outputs.push_back(selected({range}, extents));
  } else if (node.is("Slice")) {
    PANTANAL_TRY(const std::vector<AxisRange> ranges, slice_ranges(node, extents));
    outputs.push_back(selected(ranges, extents));
  } else {
    PANTANAL_TRY(std::vector<Selection> selection, gathered(node, extents));
    outputs.push_back(std::move(selection));
  }
  return outputs;
}

Result<const Fact*> padded_value(const NodeView& node) {
  const Fact* value = nullptr;
  for (std::size_t i = 0; i < (node.is("Pad") ? 1 : node.inputs().size()); ++i) {
    PANTANAL_TRY(const Fact* const input, node.input(i));
    if (input->known) continue;
    if (value) return node.error("several values joined", "one value, with zeros before or behind it");
    value = input;
  }
  if (value) return value;
  return node.error("a constant", "a value that depends on the model's input");
}

Result<ZeroPads> zero_pads(const NodeView& node) {
  if (node.is("Concat")) return concatenated_zeros(node);
  PANTANAL_TRY(const Fact* const input, node.input(0));
  const std::size_t rank = input->extents().size();
  PANTANAL_TRY(const std::string mode, node.text("mode", "constant"));
  if (mode != "constant")
    return node.error("mode " + in_quotes(mode), "zeros around the value: mode 'constant'");
  PANTANAL_TRY(double filling, node.real("value", 0));
  if (const Fact* value = node.optional_input(2))
    filling = value->known ? value->known->scalar().value_or(-1) : -1;
  if (filling != 0) return node.error("padding with something else than zero", "zeros");
  PANTANAL_TRY(const auto given, node.integers_at(1, "pads"));
  PANTANAL_TRY(const auto axes, node.integer_input(3));
  Shape numbers(rank);
  std::iota(numbers.begin(), numbers.end(), 0);
  PANTANAL_TRY(const AxisList list, node.axes(axes.value_or(numbers), rank));
  if (!given || given->size() != 2 * list.size())
    return node.error("pads of another number than axes", "a begin and an end for each axis",
                      ErrorCode::corrupt);
  ZeroPads pads(rank);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto [begin, end] = std::pair((*given)[i], (*given)[list.size() + i]);
    if (begin < 0 || end < 0 || begin > largest_index || end > largest_index)
      return node.error("pads of " + std::to_string(begin) + " and " + std::to_string(end),
                        "0 to 2^24 zeros");
    pads[list[i]] = {begin, end};
  }
  return pads;
}

Result<DftForm> dft_form(const NodeView& node) {
  PANTANAL_TRY(const Fact* const input, node.input(0));
  const Dims extents = input->extents();
  PANTANAL_TRY(const std::int64_t inverse, node.integer("inverse", 0));
  PANTANAL_TRY(const std::int64_t one_sided, node.integer("onesided", 0));
  PANTANAL_TRY(std::int64_t axis_number, node.integer("axis", node.opset() >= 20 ? -2 : 1));
  PANTANAL_TRY(const auto axis_input, node.integer_input(2));
  PANTANAL_TRY(const auto length, node.integer_input(1));
  if (axis_input && axis_input->size() == 1) axis_number = axis_input->front();
  DftForm form;
  PANTANAL_TRY(form.dimension, node.axis(axis_number, extents.size()));
  if (inverse || extents.back() != Dim{1} || form.dimension + 1 == extents.size())
    return node.error(inverse ? "an inverse transform" : "a transform of shape " + to_string(extents),
                      "a forward one of real numbers, whose last extent is 1");
  form.length = length && length->size() == 1 ? length->front() : extents[form.dimension].fixed;
  form.bins = one_sided ? form.length / 2 + 1 : form.length;
  if (form.length < 1 || form.length > largest_index || !extents[form.dimension].is_fixed())
    return node.error("a length of " + std::to_string(form.length), "1 to 2^24");
  return form;
}

/// Whatever features remain are numbered anew, row by row.
Result<std::vector<Layout>> infer_selection(const NodeView& node, Axes& axes) {
  PANTANAL_TRY(const Fact* const input, node.input(0));
  if (input->known) return node.error("a constant indexed by a value", "a value indexed by constants");
  PANTANAL_TRY(const auto outputs, selections(node));
  std::vector<Layout> layouts;
  for (const std::vector<Selection>& output : outputs) {
    Layout layout = input->layout;
    Dims extents = input->extents();
    std::vector<std::size_t> changed;
    for (const Selection& selection : output) {
      changed.push_back(selection.dimension);
      extents[selection.dimension] = {static_cast<std::int64_t>(selection.indices.size())};
    }
    if (!changed.empty()) {
      PANTANAL_TRY(layout, renumbered(node, layout, changed, extents, axes));
    }
    layouts.push_back(std::move(layout));
  }
  return layouts;
}

/// With a table [frames, taps] of samples as indices, Gather cuts the signal into frames.
Result<std::vector<Layout>> infer_gather(const NodeView& node, Axes& axes) {
  PANTANAL_TRY(const Fact* const input, node.input(0));
  PANTANAL_TRY(const Fact* const indices, node.input(1));
  PANTANAL_TRY(const std::int64_t axis_number, node.integer("axis", 0));
  PANTANAL_TRY(const std::size_t dimension, node.axis(axis_number, input->extents().size()));
  const auto at = static_cast<std::ptrdiff_t>(dimension);
  const auto table = fixed_shape(indices->extents());
  if (!table || table->size() != 2) {
    PANTANAL_TRY(std::vector<Layout> layouts, infer_selection(node, axes));
    if (table && table->empty()) layouts.front().erase(layouts.front().begin() + at);
    return layouts;
  }
  const bool samples = !input->known && input->layout[dimension].size() == 1 &&
                       input->layout[dimension].front().axis == time_axis;
  if (!indices->known || !samples)
    return node.error("a table of indices into something else than time",
                      "constant indices [frames, taps] of samples");
  Layout out = input->layout;
  out[dimension] = whole_axis(time_axis, (*table)[0]);
  out.insert(out.begin() + at + 1, new_axis((*table)[1], axes));
  return only(std::move(out));
}

/// Time and frequency stay themselves when zeros are put around them; features are numbered anew; an extent
/// of 1 becomes an axis of its own.
Result<std::vector<Layout>> infer_pad(const NodeView& node, Axes& axes) {
  PANTANAL_TRY(const Fact* const input, padded_value(node));
  PANTANAL_TRY(const ZeroPads pads, zero_pads(node));
  Layout out = input->layout;
  Dims extents = input->extents();
  std::vector<std::size_t> features;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int64_t zeros = pads[i].first + pads[i].second;
    if (zeros == 0) continue;
    extents[i].fixed += zeros;
    const bool single = out[i].size() == 1 && out[i].front().stride == 1;
    const AxisKind kind =
        single ? axes[static_cast<std::size_t>(out[i].front().axis)].kind : AxisKind::feature;
    if (kind == AxisKind::time || kind == AxisKind::frequency)
      out[i].front().extent = extents[i].fixed;
    else if (out[i].empty())
      out[i] = new_axis(extents[i].fixed, axes);
    else
      features.push_back(i);
  }
  if (features.empty()) return only(std::move(out));
  PANTANAL_TRY(Layout layout, renumbered(node, out, features, extents, axes));
  return only(std::move(layout));
}

}  // namespace pantanal::convert
