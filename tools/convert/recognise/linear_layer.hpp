// LinearLayer: a convolution or matrix product with constant weights, whatever operators it is written in.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analysis/analysis.hpp"
#include "analysis/linear_rules.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::convert {

/// Weights as [outputs, inputs per group, kernel], read where they lie. A dense layer has one kernel element.
struct LinearLayer {
  const Fact* fact = nullptr;   ///< the value it makes
  const Fact* input = nullptr;  ///< what it is applied to, before any zero padding
  std::size_t outputs = 0, inputs = 0, groups = 1;
  std::vector<Sliding> windows;  ///< per spatial dimension, Pad nodes included; none for MatMul and Gemm
  Dims image;                    ///< the spatial extents before padding
  std::vector<double> bias;      ///< its own; empty if it has none
  int axis = -1;                 ///< of its outputs; -1 if there is only one

  std::size_t taps() const;  ///< kernel elements of one input channel
  bool is_dense() const;     ///< a 1x1 convolution without stride or padding, or a matrix product
  double weight(std::size_t output, std::size_t input_channel, std::size_t tap) const {
    return factor * matrix->real(output * output_step + input_channel * input_step + tap);
  }

  const Known* matrix = nullptr;
  double factor = 1;  ///< Gemm's alpha
  std::size_t output_step = 0, input_step = 0;
};

/// Whether a value is made by an operator that read_linear_layer knows.
bool is_linear(const Fact& fact);

/// The layer that makes `fact`, which is its own origin. It must multiply over whole channels, in order, and
/// keep every other axis. `role` says, for messages, what stands there in Perch v2.
Result<LinearLayer> read_linear_layer(const Analysis& analysis, const Fact& fact, const std::string& role);

}  // namespace pantanal::convert
