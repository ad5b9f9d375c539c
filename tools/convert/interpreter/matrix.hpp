// Row-major matrices and their product, the one hot loop of the interpreter.
#pragma once

#include <Eigen/Core>
#include <cstdint>

namespace pantanal::convert::interpreter {

template <class Real>
using Matrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// c = a·b for row-major a [rows, depth], b [depth, columns], c [rows, columns].
template <class Real>
void multiply_matrices(const Real* a, const Real* b, Real* c, std::int64_t rows, std::int64_t depth,
                       std::int64_t columns) {
  Eigen::Map<Matrix<Real>>(c, rows, columns).noalias() =
      Eigen::Map<const Matrix<Real>>(a, rows, depth) * Eigen::Map<const Matrix<Real>>(b, depth, columns);
}

}  // namespace pantanal::convert::interpreter
