#include "analysis/linear_rules.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace pantanal::convert {
namespace {

constexpr std::int64_t largest = std::int64_t{1} << 30;

/// An attribute with one integer per spatial dimension, at least `least`.
Result<Shape> spatial_attribute(const NodeView& node, const char* name, std::size_t count,
                                std::int64_t fallback, std::int64_t least) {
  PANTANAL_TRY(auto given, node.integers(name));
  if (!given) return Shape(count, fallback);
  const auto valid = [&](std::int64_t value) { return value >= least && value <= largest; };
  if (given->size() == count && std::all_of(given->begin(), given->end(), valid)) return std::move(*given);
  return node.error(std::string(name) + " = " + to_string(*given),
                    std::to_string(count) + " integers of at least " + std::to_string(least),
                    ErrorCode::corrupt);
}

/// Zeros such that ceil(extent / stride) outputs remain.
void pad_same(Sliding& window, std::int64_t extent, bool more_at_end) {
  const std::int64_t outputs = (extent - 1) / window.stride + 1;
  const std::int64_t reach = window.dilation * (window.kernel - 1) + 1;
  const std::int64_t total = std::max<std::int64_t>(0, (outputs - 1) * window.stride + reach - extent);
  window.pad_begin = more_at_end ? total / 2 : total - total / 2;
  window.pad_end = total - window.pad_begin;
}

Status resolve_pads(const NodeView& node, const Shape& extents, std::vector<Sliding>& windows) {
  const std::size_t count = windows.size();
  PANTANAL_TRY(const std::string mode, node.text("auto_pad", "NOTSET"));
  PANTANAL_TRY(const Shape pads, spatial_attribute(node, "pads", 2 * count, 0, 0));
  for (std::size_t i = 0; i < count; ++i) {
    if (mode == "SAME_UPPER" || mode == "SAME_LOWER")
      pad_same(windows[i], extents[i], mode == "SAME_UPPER");
    else if (mode == "NOTSET" || mode.empty())
      std::tie(windows[i].pad_begin, windows[i].pad_end) = std::pair(pads[i], pads[count + i]);
    else if (mode != "VALID")
      return node.error("auto_pad " + in_quotes(mode), "NOTSET, VALID, SAME_UPPER or SAME_LOWER",
                        ErrorCode::corrupt);
  }
  return {};
}

/// Extents of `known` without leading ones, if that leaves a matrix.
std::optional<Shape> matrix_shape(const Known& known) {
  Shape shape = known.shape;
  while (shape.size() > 2 && shape.front() == 1) shape.erase(shape.begin());
  return shape.size() == 2 && !known.repeats() && known.is_real() ? std::optional(shape) : std::nullopt;
}

/// Fills in the sizes and compares them with the value's extents.
Result<MatrixProduct> sized(const NodeView& node, MatrixProduct product) {
  const auto shape = matrix_shape(*product.matrix->known);
  const Dims extents = product.value->extents();
  if (!shape)
    return node.error("a constant of shape " + to_string(product.matrix->known->shape),
                      "a matrix of real numbers");
  product.inputs = (*shape)[product.outputs_first ? 1 : 0];
  product.outputs = (*shape)[product.outputs_first ? 0 : 1];
  if (product.outputs > 0 && extents[product.contracted] == Dim{product.inputs}) return product;
  return node.error("a value of shape " + to_string(extents) + " and a matrix of shape " + to_string(*shape),
                    "shapes that can be multiplied", ErrorCode::mismatch);
}

}  // namespace

Result<std::vector<Sliding>> sliding_windows(const NodeView& node, const Dims& dims, const Shape& kernel) {
  const auto extents = fixed_shape(dims);
  if (!extents || extents->size() != kernel.size())
    return node.error("an image of extents " + to_string(dims),
                      std::to_string(kernel.size()) + " constant spatial extents, as many as the kernel has");
  const std::size_t count = kernel.size();
  PANTANAL_TRY(const auto repeated, node.integers("kernel_shape"));
  if (repeated && *repeated != kernel)
    return node.error("kernel_shape " + to_string(*repeated), "the weight's, " + to_string(kernel),
                      ErrorCode::corrupt);
  PANTANAL_TRY(const Shape strides, spatial_attribute(node, "strides", count, 1, 1));
  PANTANAL_TRY(const Shape dilations, spatial_attribute(node, "dilations", count, 1, 1));
  std::vector<Sliding> windows;
  for (std::size_t i = 0; i < count; ++i) {
    if (kernel[i] < 1 || kernel[i] > largest || (*extents)[i] > largest)
      return node.error("a kernel of " + to_string(kernel), "positive extents", ErrorCode::corrupt);
    windows.push_back({kernel[i], strides[i], dilations[i], 0, 0});
  }
  PANTANAL_TRY_STATUS(resolve_pads(node, *extents, windows));
  for (std::size_t i = 0; i < count; ++i) {
    const Sliding& window = windows[i];
    if (window.dilation * (window.kernel - 1) + 1 > (*extents)[i] + window.pad_begin + window.pad_end)
      return node.error("an image of extents " + to_string(dims) + " and a kernel of " + to_string(kernel),
                        "an image no smaller than the kernel", ErrorCode::mismatch);
  }
  return windows;
}

Result<Shape> pool_kernel(const NodeView& node, std::size_t dimensions) {
  PANTANAL_TRY_STATUS(node.has("kernel_shape") ? Status()
                                               : node.error("no kernel_shape", "it", ErrorCode::corrupt));
  return spatial_attribute(node, "kernel_shape", dimensions, 1, 1);
}

Result<MatrixProduct> matrix_product(const NodeView& node) {
  PANTANAL_TRY(const Fact* const a, node.input(0));
  PANTANAL_TRY(const Fact* const b, node.input(1));
  if (a->known.has_value() == b->known.has_value())
    return node.error("a product of two values", "a product of one value and one constant matrix");
  PANTANAL_TRY(const std::int64_t transpose_a, node.integer("transA", 0));
  PANTANAL_TRY(const std::int64_t transpose_b, node.integer("transB", 0));
  const bool matrix_right = b->known.has_value();
  const Fact* const value = matrix_right ? a : b;
  const std::size_t rank = value->extents().size();
  if (rank < 2 || (node.is("Gemm") && rank != 2))
    return node.error("a value of rank " + std::to_string(rank),
                      node.is("Gemm") ? "rank 2" : "rank 2 or more");
  // Whether the summed dimension of the value is its last one, as in a plain value · matrix.
  const bool sums_last = matrix_right ? !transpose_a : transpose_b != 0;
  MatrixProduct product;
  product.matrix = matrix_right ? b : a;
  product.value = value;
  product.outputs_first = matrix_right ? transpose_b != 0 : !transpose_a;
  product.contracted = sums_last ? rank - 1 : rank - 2;
  product.kept = sums_last ? rank - 2 : rank - 1;
  product.outputs_lead = !matrix_right;
  return sized(node, product);
}

}  // namespace pantanal::convert
