// Orthogonalising the rows of a matrix: by one-sided Jacobi rotations, by completion, and as a basis of their
// span.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "pantanal/ml/matrix.hpp"

namespace pantanal::ml {

/// Σ a_i·b_i, in four sums.
inline double dot(const double* a, const double* b, std::size_t n) {
  double sum[4] = {};
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (std::size_t k = 0; k < 4; ++k) sum[k] += a[i + k] * b[i + k];
  for (; i < n; ++i) sum[0] += a[i] * b[i];
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

namespace detail {

inline void rotate(double* a, double* b, std::size_t n, double c, double s) {
  for (std::size_t i = 0; i < n; ++i) {
    const double x = a[i], y = b[i];
    a[i] = c * x - s * y;
    b[i] = s * x + c * y;
  }
}

}  // namespace detail

/// Rotates rows first … last-1 of y until each two are orthogonal to rounding; rows of `companion`, if not
/// null, take part in every rotation. Small rows keep their relative precision.
/// Source: Hestenes 1958; Demmel and Veselić 1992, "Jacobi's method is more accurate than QR".
inline void orthogonalize_rows(Matrix<double>& y, std::size_t first, std::size_t last,
                               Matrix<double>* companion) {
  constexpr int most_sweeps = 30;
  const double tolerance = std::numeric_limits<double>::epsilon() * std::sqrt(static_cast<double>(y.columns));
  for (int sweep = 0; sweep < most_sweeps; ++sweep) {
    bool changed = false;
    for (std::size_t i = first; i + 1 < last; ++i)
      for (std::size_t j = i + 1; j < last; ++j) {
        const double ii = dot(y.row(i), y.row(i), y.columns), jj = dot(y.row(j), y.row(j), y.columns);
        const double ij = dot(y.row(i), y.row(j), y.columns);
        if (std::abs(ij) <= tolerance * std::sqrt(ii) * std::sqrt(jj)) continue;
        changed = true;
        const double zeta = (jj - ii) / (2 * ij);
        const double t = std::copysign(1.0, zeta) / (std::abs(zeta) + std::sqrt(1 + zeta * zeta));
        const double c = 1 / std::sqrt(1 + t * t);
        detail::rotate(y.row(i), y.row(j), y.columns, c, c * t);
        if (companion) detail::rotate(companion->row(i), companion->row(j), companion->columns, c, c * t);
      }
    if (!changed) return;
  }
}

/// Makes row r of v, whose rows before it are orthonormal, a unit vector orthogonal to them: what remains of
/// the first coordinate axis that they do not nearly span. r must be less than the number of columns.
inline void complete_row(Matrix<double>& v, std::size_t r) {
  const std::size_t n = v.columns;
  const double enough = 0.5 * static_cast<double>(n - r) / static_cast<double>(n);
  for (std::size_t axis = 0; axis < n; ++axis) {
    std::fill_n(v.row(r), n, 0.0);
    v(r, axis) = 1;
    for (int pass = 0; pass < 2; ++pass)
      for (std::size_t k = 0; k < r; ++k) {
        const double along = dot(v.row(k), v.row(r), n);
        for (std::size_t c = 0; c < n; ++c) v(r, c) -= along * v(k, c);
      }
    const double norm2 = dot(v.row(r), v.row(r), n);
    if (norm2 < enough) continue;
    for (std::size_t c = 0; c < n; ++c) v(r, c) /= std::sqrt(norm2);
    return;
  }
}

/// Orthonormal rows that span those of w; what is below rounding of the largest is dropped.
/// Source: Giraud, Langou and Rozložník 2005, "The loss of orthogonality in the Gram-Schmidt
/// orthogonalization process": two passes are enough.
inline Matrix<double> orthonormal_rows(const Matrix<double>& w) {
  const std::size_t n = w.columns;
  double largest = 0;
  for (std::size_t r = 0; r < w.rows; ++r) largest = std::max(largest, dot(w.row(r), w.row(r), n));
  const double null = std::numeric_limits<double>::epsilon() * std::sqrt(static_cast<double>(n) * largest);
  Matrix<double> q(w.rows, n);
  std::size_t kept = 0;
  for (std::size_t r = 0; r < w.rows; ++r) {
    double* row = q.row(kept);
    std::copy_n(w.row(r), n, row);
    for (int pass = 0; pass < 2; ++pass)
      for (std::size_t k = 0; k < kept; ++k) {
        const double along = dot(q.row(k), row, n);
        for (std::size_t c = 0; c < n; ++c) row[c] -= along * q(k, c);
      }
    const double norm = std::sqrt(dot(row, row, n));
    if (!(norm > null)) continue;
    for (std::size_t c = 0; c < n; ++c) row[c] /= norm;
    ++kept;
  }
  q.values.resize(kept * n);
  q.rows = kept;
  return q;
}

}  // namespace pantanal::ml
