// Eigendecomposition of a symmetric matrix: as many leading eigenpairs as are asked for.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/ml/inverse_iteration.hpp"
#include "pantanal/ml/matrix.hpp"
#include "pantanal/ml/transpose.hpp"
#include "pantanal/ml/tridiagonal.hpp"
#include "pantanal/ops/packed_matrix.hpp"

namespace pantanal::ml {

struct SymmetricEigen {
  std::vector<double> values;  ///< the `count` largest, falling
  Matrix<double> vectors;      ///< [count, n]: row i belongs to values[i], of norm 1
};

namespace detail {

/// The rotations of one sweep: rows first … last, one per pair of neighbours.
struct Sweep {
  std::size_t first = 0, last = 0, offset = 0;
};
struct Rotations {
  std::vector<Sweep> sweeps;
  std::vector<double> cosines, sines;
};

/// One implicitly shifted QL sweep over l … m. Its rotations are appended in rising order of rows.
inline void ql_sweep(std::vector<double>& d, std::vector<double>& e, std::size_t l, std::size_t m,
                     Rotations& rotations) {
  double g = (d[l + 1] - d[l]) / (2 * e[l]);
  g = d[m] - d[l] + e[l] / (g + std::copysign(std::sqrt(g * g + 1), g));
  double s = 1, c = 1, p = 0;
  const std::size_t offset = rotations.cosines.size();
  rotations.cosines.resize(offset + m - l, 1.0);
  rotations.sines.resize(offset + m - l, 0.0);
  std::size_t i = m;
  while (i-- > l) {
    const double f = s * e[i], b = c * e[i], r = std::sqrt(f * f + g * g);
    e[i + 1] = r;
    if (r == 0) {
      d[i + 1] -= p;
      break;
    }
    s = f / r;
    c = g / r;
    g = d[i + 1] - p;
    const double q = (d[i] - g) * s + 2 * c * b;
    p = s * q;
    d[i + 1] = g + p;
    g = c * q - b;
    rotations.cosines[offset + i - l] = c;
    rotations.sines[offset + i - l] = s;
    if (i == l) {
      d[l] -= p;
      e[l] = g;
    }
  }
  e[m] = 0;
  rotations.sweeps.push_back({l, m, offset});
}

/// The eigenvalues of T, in `t.diagonal`, and the rotations whose product, in order, holds its eigenvectors.
/// Source: Dubrulle, Martin and Wilkinson 1968, "The implicit QL algorithm".
inline Status diagonalize(Tridiagonal& t, Rotations& rotations) {
  std::vector<double>&d = t.diagonal, &e = t.off_diagonal;
  const std::size_t n = d.size();
  double norm = 0;
  for (std::size_t i = 0; i < n; ++i) norm = std::max(norm, std::abs(d[i]) + std::abs(e[i]));
  rotations.cosines.reserve(n * n);  // about as many as there will be
  rotations.sines.reserve(n * n);
  const double negligible = std::numeric_limits<double>::epsilon() * norm;
  for (std::size_t l = 0; l < n; ++l)
    for (int sweep = 0;; ++sweep) {
      std::size_t m = l;
      while (m + 1 < n && std::abs(e[m]) > negligible) ++m;
      if (m == l) break;
      if (sweep == 60)
        return Error{ErrorCode::internal, "symmetric_eigen", "no convergence after 60 sweeps", "convergence"};
      ql_sweep(d, e, l, m, rotations);
    }
  return {};
}

/// The `count` largest eigenpairs of T from the QL algorithm: the rotations run backwards over unit vectors.
inline Result<TridiagonalEigen> ql_eigenpairs(const kernels::KernelTable& table, Tridiagonal& t,
                                              std::size_t count, std::size_t threads) {
  Rotations rotations;
  PANTANAL_TRY_STATUS(diagonalize(t, rotations));
  const std::size_t n = t.diagonal.size();
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t i, std::size_t j) { return t.diagonal[i] > t.diagonal[j]; });
  TridiagonalEigen found{std::vector<double>(count), {}, ops::round_up(count, cache_line)};
  found.vectors = AlignedBuffer<double>(n * found.stride);
  for (std::size_t k = 0; k < count; ++k) {
    found.values[k] = t.diagonal[order[k]];
    found.vectors[order[k] * found.stride + k] = 1;
  }
  parallel_team(threads, [&](const Team& team) {
    const Range columns = team.share(found.stride, cache_line);
    if (columns.size() == 0) return;
    for (std::size_t s = rotations.sweeps.size(); s-- > 0;) {
      const Sweep& sweep = rotations.sweeps[s];
      table.rotate_rows(found.vectors.data() + columns.begin, found.stride, columns.size(), sweep.first,
                        sweep.last, rotations.cosines.data() + sweep.offset,
                        rotations.sines.data() + sweep.offset);
    }
  });
  return found;
}

/// Of T, whichever way is quicker: inverse iteration for some of many, if their eigenvalues are well apart.
inline Result<TridiagonalEigen> tridiagonal_eigenpairs(const kernels::KernelTable& table, Tridiagonal& t,
                                                       std::size_t count, std::size_t threads) {
  constexpr std::size_t many = 64;
  if (t.diagonal.size() >= many && 2 * count <= t.diagonal.size())
    if (auto found = leading_eigenpairs(table, t.diagonal, t.off_diagonal, count, threads))
      return std::move(*found);
  return ql_eigenpairs(table, t, count, threads);
}

inline double largest_magnitude(std::span<const double> values) {
  constexpr std::size_t lanes = 8;  // one maximum would wait for itself
  double largest[lanes] = {};
  std::size_t i = 0;
  for (; i + lanes <= values.size(); i += lanes)
    for (std::size_t k = 0; k < lanes; ++k) largest[k] = std::max(largest[k], std::abs(values[i + k]));
  for (; i < values.size(); ++i) largest[0] = std::max(largest[0], std::abs(values[i]));
  return *std::max_element(largest, largest + lanes);
}

}  // namespace detail

/// The `count` largest eigenvalues of the symmetric matrix `a`, within a few ε·‖a‖, and their eigenvectors.
inline Result<SymmetricEigen> symmetric_eigen(const kernels::KernelTable& table, Matrix<double> a,
                                              std::size_t count, std::size_t threads = 1) {
  const std::size_t n = a.rows;
  const double largest = detail::largest_magnitude(a.values);
  const double scale = largest > 0 ? std::exp2(std::floor(std::log2(largest))) : 1.0;
  for (double& x : a.values) x /= scale;  // exact; keeps squares from under- and overflowing
  Tridiagonal t = tridiagonalize(table, a, threads);
  PANTANAL_TRY(TridiagonalEigen found, detail::tridiagonal_eigenpairs(table, t, count, threads));
  double* z = found.vectors.data();
  parallel_team(threads, [&](const Team& team) {
    const Range columns = team.share(found.stride, cache_line);
    if (columns.size() > 0) apply_reflections(table, t, z + columns.begin, found.stride, columns.size());
  });
  for (double& value : found.values) value *= scale;
  SymmetricEigen eigen{std::move(found.values), Matrix<double>(count, n)};
  transpose(z, found.stride, n, count, eigen.vectors.values.data(), n);
  return eigen;
}

}  // namespace pantanal::ml
