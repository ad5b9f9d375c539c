// What Perch's layers share: how images are stored between them and how a model's tensors become kernel
// arguments.
#pragma once

#include <cstddef>

#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/ops/packed_matrix.hpp"
#include "pantanal/perch/architecture.hpp"

namespace pantanal::perch {

/// Images are NHWC; between layers a pixel takes this many floats, whole vectors of any target, the padding
/// zero.
constexpr std::size_t pixel_stride(std::size_t channels) {
  return ops::round_up(channels, ops::channel_padding);
}

inline kernels::Activation to_kernel(Activation activation) {
  switch (activation) {
    case Activation::none:
      return kernels::Activation::none;
    case Activation::relu:
      return kernels::Activation::relu;
    case Activation::swish:
      return kernels::Activation::swish;
  }
  return kernels::Activation::none;
}

}  // namespace pantanal::perch
