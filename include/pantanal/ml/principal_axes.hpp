// Principal axes of centred data: exactly, through the smaller Gram matrix, or by the randomized range
// finder.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/ml/cholesky.hpp"
#include "pantanal/ml/gemm.hpp"
#include "pantanal/ml/matrix.hpp"
#include "pantanal/ml/orthogonal_rows.hpp"
#include "pantanal/ml/random_state.hpp"
#include "pantanal/ml/symmetric_eigen.hpp"

namespace pantanal::ml {

/// Right singular vectors of X - mean and squared singular values.
struct PrincipalAxes {
  Matrix<double> axes;          ///< [count, features], orthonormal rows, largest first
  std::vector<double> squares;  ///< falling, as many
};

/// Signs such that each row's largest entry by magnitude, the first of equal ones, is positive: svd_flip with
/// u_based_decision=False, scikit-learn's convention for PCA since 1.5.
inline void flip_signs(Matrix<double>& axes) {
  for (std::size_t r = 0; r < axes.rows; ++r) {
    double* row = axes.row(r);
    std::size_t at = 0;
    for (std::size_t c = 1; c < axes.columns; ++c)
      if (std::abs(row[c]) > std::abs(row[at])) at = c;
    if (row[at] < 0)
      for (std::size_t c = 0; c < axes.columns; ++c) row[c] = -row[c];
  }
}

namespace detail {

/// Rows of y = W·X that the Gram matrix cannot tell apart to full precision, turned until they are
/// orthogonal: those of a variance below 1e-6 of the largest and above rounding.
inline void refine_small(Matrix<double>& y, Matrix<double>& w, std::size_t features) {
  const std::size_t n = y.columns;
  const double largest = dot(y.row(0), y.row(0), n);
  const double null = std::numeric_limits<double>::epsilon() * static_cast<double>(std::max(n, features));
  std::size_t first = 0, last = y.rows;
  while (first < last && dot(y.row(first), y.row(first), n) > 1e-6 * largest) ++first;
  while (last > first && dot(y.row(last - 1), y.row(last - 1), n) <= null * null * largest) --last;
  orthogonalize_rows(y, first, last, &w);
}

/// Sorts rows of y (and w alike) by falling norm.
inline std::vector<double> sort_rows(Matrix<double>& y, Matrix<double>& w) {
  std::vector<double> squares;
  for (std::size_t r = 0; r < y.rows; ++r) squares.push_back(dot(y.row(r), y.row(r), y.columns));
  for (std::size_t r = 0; r < y.rows; ++r)
    for (std::size_t k = r; k > 0 && squares[k] > squares[k - 1]; --k) {
      std::swap(squares[k], squares[k - 1]);
      std::swap_ranges(y.row(k), y.row(k) + y.columns, y.row(k - 1));
      std::swap_ranges(w.row(k), w.row(k) + w.columns, w.row(k - 1));
    }
  return squares;
}

/// Rows of y as unit vectors; those that are zero to rounding become any that complete the basis.
inline Matrix<double> unit_rows(Matrix<double> y, const std::vector<double>& squares) {
  const double null =
      std::numeric_limits<double>::epsilon() * static_cast<double>(std::max(y.rows, y.columns));
  for (std::size_t r = 0; r < y.rows; ++r) {
    bool sound = squares[r] > null * null * squares[0];
    const double length = std::sqrt(squares[r]);
    for (std::size_t c = 0; sound && c < y.columns; ++c) y(r, c) /= length;
    if (sound && squares[r] < 1e-6 * squares[0]) {  // rounding of large rows shows in small ones
      for (std::size_t k = 0; k < r; ++k) {
        const double along = dot(y.row(k), y.row(r), y.columns);
        for (std::size_t c = 0; c < y.columns; ++c) y(r, c) -= along * y(k, c);
      }
      const double norm = std::sqrt(dot(y.row(r), y.row(r), y.columns));
      sound = norm > 0.5;
      for (std::size_t c = 0; sound && c < y.columns; ++c) y(r, c) /= norm;
    }
    if (!sound) complete_row(y, r);
  }
  return y;
}

}  // namespace detail

/// The `count` leading axes of `centred`, computed in double through the eigendecomposition of X·Xᵀ or Xᵀ·X,
/// whichever is smaller. With `refine`, variances below 1e-6 of the largest are separated by Jacobi rotations
/// of the projected data, as precisely as an SVD would.
inline Result<PrincipalAxes> exact_axes(const kernels::KernelTable& table, const Matrix<double>& centred,
                                        std::size_t count, bool refine, std::size_t threads) {
  const bool wide = centred.rows <= centred.columns;
  const Factor<double> x = wide ? factor(centred) : factor(centred).transposed();
  PANTANAL_TRY(SymmetricEigen eigen, symmetric_eigen(table, gram(table, x, threads), count, threads));
  PrincipalAxes found;
  found.squares = eigen.values;
  for (double& s : found.squares) s = std::max(s, 0.0);
  if (!wide && !refine) {
    found.axes = std::move(eigen.vectors);
  } else {
    Matrix<double> y = multiply(table, factor(eigen.vectors), x, threads);
    if (refine && count > 0) detail::refine_small(y, eigen.vectors, centred.columns);
    const std::vector<double> squares = detail::sort_rows(y, eigen.vectors);
    std::copy(squares.begin(), squares.end(), found.squares.begin());
    found.axes = wide ? detail::unit_rows(std::move(y), squares) : std::move(eigen.vectors);
  }
  flip_signs(found.axes);
  return found;
}

namespace detail {

/// L⁻¹ for L·Lᵀ = `a`, or nothing where a's rows are so close to dependent that it would be inaccurate.
inline std::optional<Matrix<double>> inverse_factor(Matrix<double> a) {
  constexpr double least = 1e-8;  // of a pivot to its diagonal element; errors are ε over it
  std::vector<double> diagonal;
  for (std::size_t i = 0; i < a.rows; ++i) diagonal.push_back(a(i, i));
  if (!cholesky_factor(a)) return {};
  for (std::size_t i = 0; i < a.rows; ++i)
    if (a(i, i) * a(i, i) < least * diagonal[i]) return {};
  return inverse_lower(a);
}

/// Orthonormal rows that span those of w: L⁻¹·w with L·Lᵀ = w·wᵀ if that is accurate. Source: Fukaya et al.
/// 2014, "CholeskyQR2".
inline Matrix<double> orthonormal_span(const kernels::KernelTable& table, Matrix<double> w,
                                       std::size_t threads) {
  if (const auto inverse = inverse_factor(gram(table, factor(w), threads)))
    return multiply(table, factor(*inverse), factor(w), threads);
  return orthonormal_rows(w);
}

/// Rayleigh and Ritz' axes in the span of w·X, from Q = orthonormal_span(w) and the Gram matrix K = X·Xᵀ
/// alone: with L·Lᵀ = Q·K·Qᵀ the rows of L⁻¹·Q·X are orthonormal, and X's coordinates along them are L⁻¹·Q·K.
/// Nothing where that would be inaccurate.
inline Result<std::optional<PrincipalAxes>> gram_space_axes(const kernels::KernelTable& table,
                                                            const Factor<double>& x, bool wide,
                                                            const Matrix<double>& square,
                                                            const Matrix<double>& w, std::size_t count,
                                                            std::size_t threads) {
  const Matrix<double> q = orthonormal_span(table, w, threads);
  const Matrix<double> along = multiply(table, factor(q), factor(square), threads);
  const auto inverse = inverse_factor(multiply(table, factor(along), factor(q).transposed(), threads));
  if (q.rows < std::max<std::size_t>(count, 1) || !inverse) return std::optional<PrincipalAxes>();
  const Matrix<double> b = multiply(table, factor(*inverse), factor(along), threads);
  PANTANAL_TRY(SymmetricEigen eigen, symmetric_eigen(table, gram(table, factor(b), threads), count, threads));
  PrincipalAxes found{.axes = {}, .squares = std::move(eigen.values)};
  found.squares.resize(count);
  if (wide) {
    const Matrix<double> turn = multiply(table, factor(eigen.vectors), factor(*inverse), threads);
    const Matrix<double> coefficients = multiply(table, factor(turn), factor(q), threads);
    found.axes = multiply(table, factor(coefficients), x, threads);
  } else {
    found.axes = unit_rows(multiply(table, factor(eigen.vectors), factor(b), threads), found.squares);
  }
  return std::optional<PrincipalAxes>(std::move(found));
}

/// The same from an orthonormal basis of the span itself, for spans that the Gram matrix cannot resolve.
inline Result<PrincipalAxes> range_axes(const kernels::KernelTable& table, const Factor<double>& x, bool wide,
                                        const Matrix<double>& w, std::size_t count, std::size_t threads) {
  const Matrix<double> q = orthonormal_rows(multiply(table, factor(orthonormal_rows(w)), x, threads));
  const Matrix<double> b = multiply(table, factor(q), x.transposed(), threads);  // [directions, smaller]
  PANTANAL_TRY(SymmetricEigen eigen,
               symmetric_eigen(table, gram(table, factor(b), threads), q.rows, threads));
  PrincipalAxes found{.axes = {}, .squares = std::move(eigen.values)};
  for (double& s : found.squares) s = std::max(s, 0.0);
  Matrix<double> axes = wide ? multiply(table, factor(eigen.vectors), factor(q), threads)
                             : multiply(table, factor(eigen.vectors), factor(b), threads);
  if (!wide) axes = unit_rows(std::move(axes), found.squares);
  found.axes = Matrix<double>(count, wide ? x.columns : x.rows);
  found.squares.resize(count, 0.0);
  const std::size_t known = std::min(count, axes.rows);
  std::copy_n(axes.values.begin(), known * axes.columns, found.axes.values.begin());
  for (std::size_t r = known; r < count; ++r) complete_row(found.axes, r);
  return found;
}

}  // namespace detail

/// The `count` leading axes within a random subspace, as sklearn's randomized SVD finds them from the same
/// seed: `count` + `oversamples` directions, `iterations` power iterations. The iterations run on the Gram
/// matrix, which spans the same subspace with fewer operations.
/// Source: Halko, Martinsson and Tropp 2009, arXiv:0909.4061, algorithms 4.4 and 5.1.
inline Result<PrincipalAxes> randomized_axes(const kernels::KernelTable& table, const Matrix<double>& centred,
                                             std::size_t count, std::size_t oversamples,
                                             std::size_t iterations, std::uint32_t seed,
                                             std::size_t threads) {
  const bool wide = centred.rows < centred.columns;
  const Factor<double> x = wide ? factor(centred) : factor(centred).transposed();  // [smaller, larger]
  RandomState random(seed);
  Matrix<double> w(count + oversamples, x.rows);
  for (std::size_t i = 0; i < w.columns; ++i)
    for (std::size_t j = 0; j < w.rows; ++j) w(j, i) = random.standard_normal();
  const Matrix<double> square = gram(table, x, threads);
  for (std::size_t i = 0; i < iterations; ++i) {
    if (i > 0)
      w = detail::orthonormal_span(table, std::move(w), threads);  // drawn ones are as good as orthonormal
    if (w.rows == 0) break;
    w = multiply(table, factor(w), factor(square), threads);
  }
  PANTANAL_TRY(auto quick, detail::gram_space_axes(table, x, wide, square, w, count, threads));
  if (!quick) {
    PANTANAL_TRY(quick, detail::range_axes(table, x, wide, w, count, threads));
  }
  flip_signs(quick->axes);
  return std::move(*quick);
}

}  // namespace pantanal::ml
