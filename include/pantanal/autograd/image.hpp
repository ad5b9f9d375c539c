// Images in a training pass: a row per pixel, and the nonlinearity after a convolution.
#pragma once

#include <cstddef>
#include <cstring>

#include "pantanal/autograd/tape.hpp"
#include "pantanal/perch/architecture.hpp"

namespace pantanal::autograd {

/// The size of one image. In memory a pixel is a row of stride() floats, the padding zero; images of a batch
/// follow each other.
struct ImageShape {
  perch::Extent extent;
  std::size_t channels = 0;

  std::size_t positions() const { return extent.positions(); }
  std::size_t stride() const { return nn::row_stride(channels); }
  std::size_t floats() const { return positions() * stride(); }
  Slot take(Tape& tape, std::size_t images) const { return tape.take(images * positions(), channels); }
};

/// The same files with a row per position: what layers that work on rows, such as Linear, take for a 1x1
/// convolution. A pass over images has one step per file.
inline Pass at_positions(Pass pass, std::size_t positions) {
  pass.steps = positions;
  return pass;
}

/// y = act(x);  dx = dy·act'(x), with act ReLU, swish or nothing. ReLU's derivative at 0 is 0, as in PyTorch.
class Nonlinearity {
 public:
  Nonlinearity(const kernels::KernelTable& table, perch::Activation activation)
      : table_(&table), activation_(activation) {}

  /// `floats` floats of x, padding included, -> y.
  void forward(const float* x, float* y, std::size_t floats) const {
    std::memcpy(y, x, floats * sizeof(float));
    if (activation_ != perch::Activation::none) table_->map(function(), y, 1, floats, floats);
  }

  /// dy becomes dx; x is what the forward was given.
  void backward(const float* x, float* dy, std::size_t floats) const {
    if (activation_ != perch::Activation::none) table_->map_backward(function(), x, dy, 1, floats, floats);
  }

 private:
  kernels::Function function() const {
    return activation_ == perch::Activation::relu ? kernels::Function::relu : kernels::Function::silu;
  }

  const kernels::KernelTable* table_;
  perch::Activation activation_;
};

}  // namespace pantanal::autograd
