// Tridiagonal: a symmetric matrix reduced by Householder reflections in blocks, and the way back.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/ml/matrix.hpp"
#include "pantanal/ops/packed_matrix.hpp"

namespace pantanal::ml {

/// A = Q·T·Qᵀ with T tridiagonal and Q = H_0·H_1·…, H_j = I - scales[j]·v_j·v_jᵀ.
struct Tridiagonal {
  std::vector<double> diagonal, off_diagonal;  ///< off_diagonal[i] couples i and i+1; the last is 0
  AlignedBuffer<double> reflectors;            ///< [n, stride]: row j is v_j, zero up to and including j
  std::vector<double> scales;
  std::size_t stride = 0;
};

namespace detail {

inline constexpr std::size_t reflector_block = 16;

inline double inner(const double* a, const double* b, std::size_t n) {
  double sum[4] = {};
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (std::size_t k = 0; k < 4; ++k) sum[k] += a[i + k] * b[i + k];
  for (; i < n; ++i) sum[0] += a[i] * b[i];
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

/// Replaces x by v with (I - scale·v·vᵀ)·x = (norm, 0, …) and returns norm; scale is 0 where x is that
/// already.
inline double householder(std::span<double> x, double& scale) {
  const double rest = inner(x.data() + 1, x.data() + 1, x.size() - 1), first = x[0];
  scale = 0;
  if (rest == 0) return first;
  const double norm = -std::copysign(std::sqrt(first * first + rest), first);
  x[0] = first - norm;
  scale = 2 / (x[0] * x[0] + rest);
  return norm;
}

/// The reduction's working matrices, all with rows of `stride`: A, and the vectors v_k and w_k of the current
/// block, so that the matrix stands for A - Σ_k (v_k·w_kᵀ + w_k·v_kᵀ).
class BlockedReduction {
 public:
  BlockedReduction(const kernels::KernelTable& table, const Matrix<double>& a)
      : table_(table), n_(a.rows), stride_(ops::round_up(n_, cache_line) + cache_line) {
    matrix_ = AlignedBuffer<double>(n_ * stride_);
    w_ = AlignedBuffer<double>(reflector_block * stride_);
    negated_ = AlignedBuffer<double>(2 * reflector_block * stride_);
    factors_ = AlignedBuffer<double>(2 * reflector_block * stride_);
    for (std::size_t r = 0; r < n_; ++r) std::copy_n(a.row(r), n_, row(r));
  }

  Tridiagonal run() {
    Tridiagonal t{std::vector<double>(n_), std::vector<double>(n_), AlignedBuffer<double>(n_ * stride_),
                  std::vector<double>(n_), stride_};
    for (std::size_t j = 0; j < n_; ++j) {
      const std::size_t first = j / reflector_block * reflector_block;
      double* current = row(j);
      for (std::size_t k = first; k < j; ++k) {
        const double *v = t.reflectors.data() + k * stride_, *w = w_row(k);
        const double vj = v[j], wj = w[j];
        for (std::size_t c = j; c < n_; ++c) current[c] -= vj * w[c] + wj * v[c];
      }
      t.diagonal[j] = current[j];
      if (j + 1 == n_) break;
      double* v = t.reflectors.data() + j * stride_;
      std::copy_n(current + j + 1, n_ - j - 1, v + j + 1);
      t.off_diagonal[j] = householder({v + j + 1, n_ - j - 1}, t.scales[j]);
      find_w(t, first, j);
      if (j + 1 == first + reflector_block) apply_block(t, first);
    }
    return t;
  }

 private:
  double* row(std::size_t r) { return matrix_.data() + r * stride_; }
  double* w_row(std::size_t j) { return w_.data() + j % reflector_block * stride_; }

  /// w_j = scale·(y - ½·scale·(y·v)·v), y being the reduced matrix times v_j.
  void find_w(const Tridiagonal& t, std::size_t first, std::size_t j) {
    const std::size_t begin = j + 1, count = n_ - begin;
    const double* v = t.reflectors.data() + j * stride_ + begin;
    double* w = w_row(j) + begin;
    table_.symmetric_product(row(begin) + begin, stride_, count, v, w);
    for (std::size_t k = first; k < j; ++k) {
      const double *vk = t.reflectors.data() + k * stride_ + begin, *wk = w_row(k) + begin;
      const double along_w = inner(wk, v, count), along_v = inner(vk, v, count);
      for (std::size_t c = 0; c < count; ++c) w[c] -= along_w * vk[c] + along_v * wk[c];
    }
    const double scale = t.scales[j], half = 0.5 * scale * inner(w, v, count);
    for (std::size_t c = 0; c < count; ++c) w[c] = scale * (w[c] - half * v[c]);
  }

  /// Subtracts the block's updates from the upper triangle of what is left.
  void apply_block(const Tridiagonal& t, std::size_t first) {
    constexpr std::size_t rows = 48;
    const std::size_t begin = first + reflector_block, panel = table_.gemm_panel<double>();
    for (std::size_t k = 0; k < reflector_block; ++k) {
      const double *v = t.reflectors.data() + (first + k) * stride_, *w = w_row(k);
      for (std::size_t c = begin; c < n_; ++c) {
        factors_[2 * k * stride_ + c] = w[c];
        factors_[(2 * k + 1) * stride_ + c] = v[c];
        negated_[2 * k * stride_ + c] = -v[c];
        negated_[(2 * k + 1) * stride_ + c] = -w[c];
      }
    }
    for (std::size_t r = begin; r < n_; r += rows)
      table_.panel_gemm_f64({.a = negated_.data() + r,
                             .a_row_stride = 1,
                             .a_depth_stride = stride_,
                             .b = factors_.data() + r,
                             .b_depth_stride = stride_,
                             .b_panel_stride = panel,
                             .c = row(r) + r,
                             .c_row_stride = stride_,
                             .c_panel_stride = panel,
                             .rows = std::min(rows, n_ - r),
                             .depth = 2 * reflector_block,
                             .columns = n_ - r,
                             .accumulate = true});
  }

  const kernels::KernelTable& table_;
  std::size_t n_, stride_;
  AlignedBuffer<double> matrix_, w_, negated_, factors_;
};

/// z := H_first·…·H_last·z for a block of reflections, z [n, columns]: I - Vᵀ·F·V with F upper triangular.
/// Source: Schreiber and Van Loan 1989, "A storage-efficient WY representation".
inline void reflect_block(const kernels::KernelTable& table, const Tridiagonal& t, std::size_t first,
                          std::size_t last, double* z, std::size_t z_stride, std::size_t columns) {
  const std::size_t n = t.diagonal.size(), count = last - first, begin = first + 1;
  const std::size_t panel = table.gemm_panel<double>();
  const double* v = t.reflectors.data() + first * t.stride;
  Matrix<double> f(count, count);
  double along[reflector_block];  // v_i's inner products with those before it
  for (std::size_t i = 0; i < count; ++i) {
    f(i, i) = t.scales[first + i];
    for (std::size_t k = 0; k < i; ++k)
      along[k] = inner(v + k * t.stride + begin, v + i * t.stride + begin, n - begin);
    for (std::size_t r = 0; r < i; ++r)
      for (std::size_t k = r; k < i; ++k) f(r, i) -= f(i, i) * f(r, k) * along[k];
  }
  AlignedBuffer<double> products(count * columns), turned(count * columns);
  table.panel_gemm_f64({.a = v + begin,
                        .a_row_stride = t.stride,
                        .b = z + begin * z_stride,
                        .b_depth_stride = z_stride,
                        .b_panel_stride = panel,
                        .c = products.data(),
                        .c_row_stride = columns,
                        .c_panel_stride = panel,
                        .rows = count,
                        .depth = n - begin,
                        .columns = columns});
  for (std::size_t r = 0; r < count; ++r)
    for (std::size_t k = r; k < count; ++k)
      for (std::size_t c = 0; c < columns; ++c)
        turned[r * columns + c] -= f(r, k) * products[k * columns + c];
  table.panel_gemm_f64({.a = v + begin,
                        .a_row_stride = 1,
                        .a_depth_stride = t.stride,
                        .b = turned.data(),
                        .b_depth_stride = columns,
                        .b_panel_stride = panel,
                        .c = z + begin * z_stride,
                        .c_row_stride = z_stride,
                        .c_panel_stride = panel,
                        .rows = n - begin,
                        .depth = count,
                        .columns = columns,
                        .accumulate = true});
}

}  // namespace detail

/// Reduces the symmetric matrix `a`. Within a block of 16 columns its matrix is only read; their updates are
/// then one product. Source: Golub and Van Loan, "Matrix Computations", 8.3.1; Dongarra et al. 1989.
inline Tridiagonal tridiagonalize(const kernels::KernelTable& table, const Matrix<double>& a) {
  return detail::BlockedReduction(table, a).run();
}

/// z := Q·z for z [n, columns]; columns a multiple of the kernels' panel.
inline void apply_reflections(const kernels::KernelTable& table, const Tridiagonal& t, double* z,
                              std::size_t z_stride, std::size_t columns) {
  const std::size_t reflections = t.diagonal.size() - 1;
  for (std::size_t last = reflections; last > 0;) {
    const std::size_t first = (last - 1) / detail::reflector_block * detail::reflector_block;
    detail::reflect_block(table, t, first, last, z, z_stride, columns);
    last = first;
  }
}

}  // namespace pantanal::ml
