// Cholesky's factorisation of a symmetric positive definite matrix, and solving with it.
#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/ml/matrix.hpp"
#include "pantanal/ml/orthogonal_rows.hpp"

namespace pantanal::ml {

/// Replaces the lower triangle of a by L with L·Lᵀ = a. Errors: a is not positive definite.
inline Status cholesky_factor(Matrix<double>& a) {
  for (std::size_t i = 0; i < a.rows; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      const double rest = a(i, j) - dot(a.row(i), a.row(j), j);
      if (j < i) {
        a(i, j) = rest / a(j, j);
      } else if (rest > 0) {
        a(i, i) = std::sqrt(rest);
      } else {
        return Error{ErrorCode::invalid_argument, "cholesky", "pivot " + std::to_string(rest),
                     "a positive definite matrix"};
      }
    }
  return {};
}

/// The solution of L·Lᵀ·x = b, L as cholesky_factor() leaves it.
inline std::vector<double> cholesky_solve(const Matrix<double>& l, std::vector<double> b) {
  for (std::size_t i = 0; i < l.rows; ++i) b[i] = (b[i] - dot(l.row(i), b.data(), i)) / l(i, i);
  for (std::size_t i = l.rows; i-- > 0;) {
    b[i] /= l(i, i);
    for (std::size_t j = 0; j < i; ++j) b[j] -= l(i, j) * b[i];
  }
  return b;
}

/// L⁻¹, lower triangular with zeros above, of L as cholesky_factor() leaves it.
inline Matrix<double> inverse_lower(const Matrix<double>& l) {
  Matrix<double> inverse(l.rows, l.rows);
  for (std::size_t i = 0; i < l.rows; ++i) {
    double* row = inverse.row(i);
    for (std::size_t k = 0; k < i; ++k) {
      const double* above = inverse.row(k);
      for (std::size_t j = 0; j <= k; ++j) row[j] -= l(i, k) * above[j];
    }
    for (std::size_t j = 0; j < i; ++j) row[j] /= l(i, i);
    row[i] = 1 / l(i, i);
  }
  return inverse;
}

}  // namespace pantanal::ml
