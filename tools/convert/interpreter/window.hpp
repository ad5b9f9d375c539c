// Window: a kernel sliding over the spatial axes of [N, C, D1, …, Dn], as convolution and pooling share it.
#pragma once

#include <cstdint>
#include <vector>

#include "interpreter/operator.hpp"

namespace pantanal::convert::interpreter {

/// Extents per spatial axis.
struct Window {
  std::vector<std::int64_t> input, kernel, strides, dilations, pads_begin, pads_end, output;

  std::int64_t kernel_size() const { return product(kernel); }
  std::int64_t input_size() const { return product(input); }
  std::int64_t output_size() const { return product(output); }

  static std::int64_t product(const std::vector<std::int64_t>& extents) {
    std::int64_t result = 1;
    for (const std::int64_t extent : extents) result *= extent;
    return result;
  }
};

/// Offsets that stand for no element of the input.
inline constexpr std::int64_t in_padding = -1;      ///< inside pads
inline constexpr std::int64_t beyond_padding = -2;  ///< past them, where only ceil_mode leads

/// Reads strides, dilations, pads or auto_pad and ceil_mode of a node whose input 0 has rank 3 or more.
Result<Window> read_window(const NodeContext& node, const Shape& input, std::vector<std::int64_t> kernel);

/// offsets[k · count + p]: where kernel element k lies in the input's spatial extent when the window is at
/// output position first + p; for p < count.
std::vector<std::int64_t> window_offsets(const Window& window, std::int64_t first, std::int64_t count);

}  // namespace pantanal::convert::interpreter
