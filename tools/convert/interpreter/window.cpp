#include "interpreter/window.hpp"

#include <algorithm>
#include <string>

namespace pantanal::convert::interpreter {
namespace {

using Extents = std::vector<std::int64_t>;

/// Larger strides, dilations and pads would let products of them overflow.
constexpr std::int64_t largest = (std::int64_t{1} << 30) - 1;

/// A list attribute of `count` values from `least` on, or `count` times the default.
Result<Extents> read_list(const NodeContext& node, const char* name, std::size_t count, std::int64_t least) {
  PANTANAL_TRY(const auto listed, node.integers(name));
  const Extents values = listed ? *listed : Extents(count, least);
  for (const std::int64_t value : values)
    if (value < least || value > largest)
      return node.attribute_error(name, to_string(values), "values from " + std::to_string(least));
  if (values.size() != count)
    return node.attribute_error(name, to_string(values), std::to_string(count) + " values");
  return values;
}

/// How far a kernel reaches: dilation · (kernel − 1) + 1.
std::int64_t reach(const Window& window, std::size_t axis) {
  return window.dilations[axis] * (window.kernel[axis] - 1) + 1;
}

/// SAME_UPPER and SAME_LOWER: ceil(input / stride) outputs, an odd pad at the end or at the beginning.
void pad_to_same(Window& window, std::size_t axis, bool upper) {
  const std::int64_t stride = window.strides[axis], input = window.input[axis];
  const std::int64_t output = (input + stride - 1) / stride;
  const std::int64_t total = std::max<std::int64_t>((output - 1) * stride + reach(window, axis) - input, 0);
  window.pads_begin[axis] = upper ? total / 2 : total - total / 2;
  window.pads_end[axis] = total - window.pads_begin[axis];
}

Status read_pads(const NodeContext& node, Window& window) {
  const std::size_t rank = window.input.size();
  PANTANAL_TRY(const std::string auto_pad, node.text("auto_pad", "NOTSET"));
  PANTANAL_TRY(const Extents pads, read_list(node, "pads", 2 * rank, 0));
  const auto middle = pads.begin() + static_cast<std::ptrdiff_t>(rank);
  window.pads_begin.assign(pads.begin(), middle);
  window.pads_end.assign(middle, pads.end());
  if (auto_pad == "NOTSET") return {};
  if (std::any_of(pads.begin(), pads.end(), [](std::int64_t pad) { return pad != 0; }))
    return node.attribute_error("auto_pad", auto_pad, "NOTSET, since there are pads");
  if (auto_pad == "VALID") return {};
  if (auto_pad != "SAME_UPPER" && auto_pad != "SAME_LOWER")
    return node.attribute_error("auto_pad", auto_pad, "NOTSET, VALID, SAME_UPPER or SAME_LOWER");
  for (std::size_t axis = 0; axis < rank; ++axis) pad_to_same(window, axis, auto_pad == "SAME_UPPER");
  return {};
}

/// floor((padded input − reach) / stride) + 1. Rounding up instead adds a window that reaches past the
/// padding, but none that starts in the padding at the end.
Status set_output(const NodeContext& node, Window& window, bool round_up) {
  for (std::size_t axis = 0; axis < window.input.size(); ++axis) {
    const std::int64_t stride = window.strides[axis], begin = window.pads_begin[axis];
    const std::int64_t room = window.input[axis] + begin + window.pads_end[axis] - reach(window, axis);
    if (room < 0)
      return node.error(ErrorCode::mismatch, "a spatial shape " + to_string(window.input),
                        "one that, padded, holds the kernel " + to_string(window.kernel));
    std::int64_t output = (round_up ? room + stride - 1 : room) / stride + 1;
    if (round_up && (output - 1) * stride >= window.input[axis] + begin) --output;
    window.output.push_back(output);
  }
  return {};
}

}  // namespace

Result<Window> read_window(const NodeContext& node, const Shape& input, Extents kernel) {
  Window window;
  window.input.assign(input.begin() + 2, input.end());
  window.kernel = std::move(kernel);
  const std::size_t rank = window.input.size();
  if (window.kernel.size() != rank)
    return node.error(ErrorCode::mismatch, "kernel " + to_string(window.kernel),
                      std::to_string(rank) + " spatial axes, as the input has");
  for (const std::int64_t extent : window.kernel)
    if (extent < 1 || extent > largest)
      return node.error(ErrorCode::mismatch, "kernel " + to_string(window.kernel), "positive extents");
  PANTANAL_TRY(window.strides, read_list(node, "strides", rank, 1));
  PANTANAL_TRY(window.dilations, read_list(node, "dilations", rank, 1));
  PANTANAL_TRY_STATUS(read_pads(node, window));
  PANTANAL_TRY(const std::int64_t ceil_mode, node.integer("ceil_mode", 0));
  PANTANAL_TRY(const std::string auto_pad, node.text("auto_pad", "NOTSET"));
  PANTANAL_TRY_STATUS(set_output(node, window, ceil_mode != 0 && auto_pad == "NOTSET"));
  PANTANAL_TRY_STATUS(node.size_of(window.output));
  PANTANAL_TRY_STATUS(node.size_of(window.kernel));
  return window;
}

std::vector<std::int64_t> window_offsets(const Window& window, std::int64_t first, std::int64_t count) {
  const std::int64_t kernel_size = window.kernel_size();
  std::vector<std::int64_t> offsets(static_cast<std::size_t>(kernel_size * count), 0);
  for (std::int64_t k = 0; k < kernel_size; ++k)
    for (std::int64_t p = 0; p < count; ++p) {
      std::int64_t kernel_left = k, output_left = first + p, stride = 1;
      std::int64_t& offset = offsets[k * count + p];
      for (std::size_t axis = window.input.size();
           axis-- > 0;) {  // from the last axis, whose indices run fastest
        const std::int64_t kernel_index = kernel_left % window.kernel[axis];
        const std::int64_t output_index = output_left % window.output[axis];
        const std::int64_t index = output_index * window.strides[axis] +
                                   kernel_index * window.dilations[axis] - window.pads_begin[axis];
        if (index >= window.input[axis] + window.pads_end[axis])
          offset = beyond_padding;
        else if ((index < 0 || index >= window.input[axis]) && offset != beyond_padding)
          offset = in_padding;
        else if (offset >= 0)
          offset += index * stride;
        kernel_left /= window.kernel[axis];
        output_left /= window.output[axis];
        stride *= window.input[axis];
      }
    }
  return offsets;
}

}  // namespace pantanal::convert::interpreter
