// The geometry of operators that multiply a value with constant weights: Conv, MatMul, Gemm.
// Source: ONNX operator specification, https://onnx.ai/onnx/operators/
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/fact.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::convert {

/// One spatial dimension of a Conv or a pool.
struct Sliding {
  std::int64_t kernel = 1, stride = 1, dilation = 1, pad_begin = 0, pad_end = 0;

  std::int64_t output(std::int64_t extent) const {
    return (extent + pad_begin + pad_end - (dilation * (kernel - 1) + 1)) / stride + 1;
  }
  /// Whether every element becomes one output by itself.
  bool is_pointwise() const { return kernel == 1 && stride == 1 && pad_begin == 0 && pad_end == 0; }
};

/// A Conv or pool over spatial dimensions of these extents; `kernel` is the weight's, which the attribute
/// kernel_shape must repeat. Pads are resolved from `auto_pad`. Errors: attributes out of bounds; no output
/// left.
Result<std::vector<Sliding>> sliding_windows(const NodeView& node, const Dims& extents, const Shape& kernel);

/// kernel_shape of a pool.
Result<Shape> pool_kernel(const NodeView& node, std::size_t dimensions);

/// A MatMul or Gemm of one constant matrix and one value.
struct MatrixProduct {
  const Fact* matrix = nullptr;  ///< its known stores [inputs, outputs], or the other way round
  const Fact* value = nullptr;
  bool outputs_first = false;  ///< the matrix is [outputs, inputs]
  std::size_t contracted = 0;  ///< dimension of the value that is summed over
  std::size_t kept = 0;        ///< Gemm with a flipped value: the other dimension
  bool outputs_lead = false;   ///< the output has [outputs, kept] last instead of [kept, outputs]
  std::int64_t inputs = 0, outputs = 0;
};

/// Errors: both or neither side known, a matrix of another rank than 2 (leading extents of 1 aside), sizes
/// that do not fit.
Result<MatrixProduct> matrix_product(const NodeView& node);

}  // namespace pantanal::convert
