// Tridiagonal: a symmetric matrix reduced by Householder reflections in blocks, and the way back.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/parallel.hpp"
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

/// The reduction's working matrices, all with rows of `stride`: A, and the vectors w_k and v_k of the current
/// block in turn, so that the matrix stands for A - Σ_k (v_k·w_kᵀ + w_k·v_kᵀ). A row of A that is done
/// becomes its reflector.
class BlockedReduction {
 public:
  BlockedReduction(const kernels::KernelTable& table, const Matrix<double>& a)
      : table_(table), n_(a.rows), stride_(ops::round_up(n_, cache_line) + cache_line) {
    matrix_ = AlignedBuffer<double>(n_ * stride_);
    factors_ = AlignedBuffer<double>(2 * reflector_block * stride_);
    negated_ = AlignedBuffer<double>(2 * reflector_block * stride_);
    partial_ = AlignedBuffer<double>(most_parts * stride_);
    for (std::size_t r = 0; r < n_; ++r) std::copy_n(a.row(r), n_, row(r));
  }

  Tridiagonal run(std::size_t threads) {
    Tridiagonal t{std::vector<double>(n_), std::vector<double>(n_), {}, std::vector<double>(n_), stride_};
    parallel_team(threads, [&](const Team& team) {
      for (std::size_t j = 0; j + 1 < n_; ++j) {
        if (team.rank() == 0) reflect(t, j);
        team.wait();
        multiply_parts(team, j);
        team.wait();
        if (team.rank() == 0) find_w(t.scales[j], j);
        if ((j + 1) % reflector_block != 0) continue;
        team.wait();
        apply_block(team, j + 1);
        team.wait();
      }
    });
    if (n_ > 0) {
      update_row(n_ - 1);
      t.diagonal[n_ - 1] = row(n_ - 1)[n_ - 1];
      std::fill_n(row(n_ - 1), n_, 0.0);
    }
    t.reflectors = std::move(matrix_);
    return t;
  }

 private:
  static constexpr std::size_t most_parts = 4;  ///< of a product, whatever the number of threads

  double* row(std::size_t r) { return matrix_.data() + r * stride_; }
  static std::size_t block_start(std::size_t j) { return j / reflector_block * reflector_block; }
  /// w_j, and v_j after it.
  double* w_row(std::size_t j) { return factors_.data() + 2 * (j % reflector_block) * stride_; }

  /// c[0 … count-1] += coefficients · the block's vectors before j, from column `begin` on.
  void add_factors(const double* coefficients, std::size_t coefficient_stride, std::size_t j,
                   std::size_t begin, double* c) {
    const std::size_t depth = 2 * (j - block_start(j)), panel = table_.gemm_panel<double>();
    if (depth > 0)
      table_.panel_gemm_f64({.a = coefficients,
                             .a_row_stride = 1,
                             .a_depth_stride = coefficient_stride,
                             .b = factors_.data() + begin,
                             .b_depth_stride = stride_,
                             .b_panel_stride = panel,
                             .c = c,
                             .c_row_stride = stride_,
                             .c_panel_stride = panel,
                             .rows = 1,
                             .depth = depth,
                             .columns = n_ - begin,
                             .accumulate = true});
  }

  /// Brings row j up to date with the block's updates.
  void update_row(std::size_t j) { add_factors(negated_.data() + j, stride_, j, j, row(j) + j); }

  /// Row j's part of T, and v_j in its place.
  void reflect(Tridiagonal& t, std::size_t j) {
    update_row(j);
    double* v = row(j);
    t.diagonal[j] = v[j];
    t.off_diagonal[j] = householder({v + j + 1, n_ - j - 1}, t.scales[j]);
    std::fill_n(v, j + 1, 0.0);
  }

  /// In how many parts a product of this size is summed.
  static std::size_t parts(std::size_t size) { return size < 64 ? 1 : most_parts; }

  /// The matrix times v_j, without the block's updates, in parts of equally many elements.
  void multiply_parts(const Team& team, std::size_t j) {
    const std::size_t begin = j + 1, count = n_ - begin;
    const auto cut = [&](std::size_t part) {
      const double rest = 1 - static_cast<double>(part) / static_cast<double>(parts(count));
      return count - static_cast<std::size_t>(static_cast<double>(count) * std::sqrt(rest));
    };
    const Range mine = team.share(parts(count));
    for (std::size_t part = mine.begin; part < mine.end; ++part) {
      const std::size_t first = cut(part), at = begin + first;
      double* y = partial_.data() + part * stride_;
      std::fill(y + begin, y + n_, 0.0);
      table_.symmetric_product(row(at) + at, stride_, count - first, cut(part + 1) - first, row(j) + at,
                               y + at);
    }
  }

  /// w_j = scale·(y - ½·scale·(y·v)·v), y being the reduced matrix times v_j.
  void find_w(double scale, std::size_t j) {
    const std::size_t begin = j + 1, count = n_ - begin, depth = 2 * (j - block_start(j));
    const double* v = row(j) + begin;
    double* y = partial_.data() + begin;
    for (std::size_t part = 1; part < parts(count); ++part)
      for (std::size_t c = 0; c < count; ++c) y[c] += y[part * stride_ + c];
    double along[2 * reflector_block], coefficients[2 * reflector_block];
    table_.row_products(factors_.data() + begin, stride_, depth, count, v, along);
    for (std::size_t k = 0; k < depth; ++k) coefficients[k] = -along[k ^ 1];
    add_factors(coefficients, 1, j, begin, y);
    const double half = 0.5 * scale * inner(y, v, count);
    double *w = w_row(j) + begin, *negated = negated_.data() + (w - factors_.data());
    for (std::size_t c = 0; c < count; ++c) {
      w[c] = scale * (y[c] - half * v[c]);
      w[stride_ + c] = v[c];
      negated[c] = -v[c];
      negated[stride_ + c] = -w[c];
    }
  }

  /// Subtracts a whole block's updates from the upper triangle of what is left.
  void apply_block(const Team& team, std::size_t begin) {
    constexpr std::size_t rows = 48;
    const std::size_t panel = table_.gemm_panel<double>();
    for (std::size_t r = begin + team.rank() * rows; r < n_; r += team.size() * rows)
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
  AlignedBuffer<double> matrix_, factors_, negated_, partial_;
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
/// then one product. The same bytes for any number of threads. Source: Golub and Van Loan, "Matrix
/// Computations", 8.3.1; Dongarra et al. 1989.
inline Tridiagonal tridiagonalize(const kernels::KernelTable& table, const Matrix<double>& a,
                                  std::size_t threads = 1) {
  return detail::BlockedReduction(table, a).run(threads);
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
