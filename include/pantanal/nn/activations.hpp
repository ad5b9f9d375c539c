// Activations in place, over rows of any length and stride.
#pragma once

#include <cstddef>

#include "pantanal/kernels/dispatch.hpp"

namespace pantanal::nn {

/// x·Φ(x), the exact one: PyTorch's nn.GELU(). Source: Hendrycks and Gimpel 2016, arXiv:1606.08415.
inline void gelu(const kernels::KernelTable& table, float* x, std::size_t rows, std::size_t stride,
                 std::size_t columns) {
  table.map(kernels::Function::gelu, x, rows, stride, columns);
}

/// x/(1 + e^-x): PyTorch's F.silu.
inline void silu(const kernels::KernelTable& table, float* x, std::size_t rows, std::size_t stride,
                 std::size_t columns) {
  table.map(kernels::Function::silu, x, rows, stride, columns);
}

/// ln(1 + e^x): PyTorch's F.softplus, whose linear part above 20 is this in float32.
inline void softplus(const kernels::KernelTable& table, float* x, std::size_t rows, std::size_t stride,
                     std::size_t columns) {
  table.map(kernels::Function::softplus, x, rows, stride, columns);
}

}  // namespace pantanal::nn
