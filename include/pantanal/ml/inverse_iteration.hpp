// The leading eigenpairs of a symmetric tridiagonal matrix: bisection for the values, inverse iteration for
// the vectors, several at once in the lanes of a vector.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/ml/gemm.hpp"
#include "pantanal/ops/packed_matrix.hpp"

namespace pantanal::ml {

/// Eigenvalues, falling, and vector k in column k of [n, stride], zeros beyond the last.
struct TridiagonalEigen {
  std::vector<double> values;
  AlignedBuffer<double> vectors;
  std::size_t stride = 0;
};

namespace detail {

/// T by its diagonal and off_diagonal, of which entry i couples i and i + 1 and the last is 0.
struct TridiagonalView {
  std::span<const double> diagonal, off_diagonal;

  std::size_t size() const { return diagonal.size(); }
  /// No eigenvalue is larger in magnitude. Source: Gershgorin's circles.
  double bound() const {
    double most = 0;
    for (std::size_t i = 0; i < size(); ++i)
      most = std::max(most, std::abs(diagonal[i]) + std::abs(off_diagonal[i]) +
                                (i > 0 ? std::abs(off_diagonal[i - 1]) : 0.0));
    return most;
  }
};

inline constexpr std::size_t eigen_lanes = 8;
using Lanes = std::array<double, eigen_lanes>;

inline constexpr std::size_t bisected = 32;  ///< eigenvalues at once

/// Eigenvalues first … first + values.size() - 1 of the falling order, within ε·bound.
inline void bisect(const kernels::KernelTable& table, const TridiagonalView& t,
                   std::span<const double> squares, double bound, std::size_t first,
                   std::span<double> values) {
  constexpr double epsilon = std::numeric_limits<double>::epsilon();
  std::array<double, bisected> lower, upper, above{};
  lower.fill(-bound * (1 + 4 * epsilon));
  upper.fill(bound * (1 + 4 * epsilon));
  std::array<double, bisected> middle{};
  const kernels::SturmArgs args{.diagonal = t.diagonal.data(),
                                .squares = squares.data(),
                                .n = t.size(),
                                .least = epsilon * epsilon * bound,
                                .x = middle.data(),
                                .above = above.data(),
                                .count = ops::round_up(values.size(), eigen_lanes)};
  while (upper[0] - lower[0] > epsilon * bound) {  // all are halved alike
    for (std::size_t l = 0; l < bisected; ++l) middle[l] = lower[l] + 0.5 * (upper[l] - lower[l]);
    table.sturm_counts(args);
    for (std::size_t l = 0; l < bisected; ++l)
      (above[l] > static_cast<double>(first + l) ? lower : upper)[l] = middle[l];
  }
  for (std::size_t l = 0; l < values.size(); ++l) values[l] = lower[l] + 0.5 * (upper[l] - lower[l]);
}

/// T - λ for several λ, factored by elimination with row interchanges.
class ShiftedFactors {
 public:
  explicit ShiftedFactors(std::size_t n) : rows_(n) {}

  void factor(const TridiagonalView& t, const Lanes& shift, double least) {
    Lanes pivot, right;
    for (std::size_t l = 0; l < eigen_lanes; ++l) {
      pivot[l] = t.diagonal[0] - shift[l];
      right[l] = t.off_diagonal[0];
    }
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      Row& row = rows_[i];
      const bool last = i + 1 == rows_.size();
      const double below = last ? 0.0 : t.off_diagonal[i], diagonal = last ? 0.0 : t.diagonal[i + 1];
      const double beyond = last ? 0.0 : t.off_diagonal[i + 1];
      for (std::size_t l = 0; l < eigen_lanes; ++l) {
        const bool swap = std::abs(pivot[l]) < std::abs(below);
        const double next = diagonal - shift[l];
        double chosen = swap ? below : pivot[l];
        const double other = swap ? pivot[l] : below;
        chosen = std::abs(chosen) < least ? least : chosen;
        row.inverse[l] = 1 / chosen;
        row.factor[l] = other * row.inverse[l];
        row.swapped[l] = swap ? 1.0 : 0.0;
        row.right[l] = swap ? next : right[l];
        row.second[l] = swap ? beyond : 0.0;
        pivot[l] = (swap ? right[l] : next) - row.factor[l] * row.right[l];
        right[l] = (swap ? 0.0 : beyond) - row.factor[l] * row.second[l];
      }
    }
  }

  /// x := (T - λ)⁻¹·x for x [n, eigen_lanes], one column per λ; `upper_only`: of the upper factor alone.
  void solve(double* x, bool upper_only) const {
    const std::size_t n = rows_.size();
    for (std::size_t i = 0; i + 1 < n && !upper_only; ++i) {
      const Row& row = rows_[i];
      double *here = x + i * eigen_lanes, *next = here + eigen_lanes;
      for (std::size_t l = 0; l < eigen_lanes; ++l) {
        const bool swap = row.swapped[l] != 0;
        const double chosen = swap ? next[l] : here[l], other = swap ? here[l] : next[l];
        here[l] = chosen;
        next[l] = other - row.factor[l] * chosen;
      }
    }
    Lanes one{}, two{};
    for (std::size_t i = n; i-- > 0;) {
      const Row& row = rows_[i];
      double* here = x + i * eigen_lanes;
      for (std::size_t l = 0; l < eigen_lanes; ++l) {
        here[l] = (here[l] - row.right[l] * one[l] - row.second[l] * two[l]) * row.inverse[l];
        two[l] = one[l];
        one[l] = here[l];
      }
    }
  }

 private:
  struct Row {
    Lanes inverse, factor, swapped, right, second;
  };
  std::vector<Row> rows_;
};

/// Divides each column of x [n, eigen_lanes] by its norm.
inline void normalize_columns(double* x, std::size_t n) {
  Lanes largest{}, sum{};
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t l = 0; l < eigen_lanes; ++l)
      largest[l] = std::max(largest[l], std::abs(x[i * eigen_lanes + l]));
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t l = 0; l < eigen_lanes; ++l) {
      x[i * eigen_lanes + l] /= largest[l];
      sum[l] += x[i * eigen_lanes + l] * x[i * eigen_lanes + l];
    }
  for (double& s : sum) s = 1 / std::sqrt(s);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t l = 0; l < eigen_lanes; ++l) x[i * eigen_lanes + l] *= sum[l];
}

/// Whether |T·x - λ·x| is at most `most` in every entry of every column.
inline bool are_eigenvectors(const TridiagonalView& t, const Lanes& values, const double* x, double most) {
  Lanes worst{};
  for (std::size_t i = 0; i < t.size(); ++i) {
    const double before = i > 0 ? t.off_diagonal[i - 1] : 0.0, after = t.off_diagonal[i];
    const double *row = x + i * eigen_lanes, *above = i > 0 ? row - eigen_lanes : row,
                 *below = i + 1 < t.size() ? row + eigen_lanes : row;
    for (std::size_t l = 0; l < eigen_lanes; ++l)
      worst[l] = std::max(
          worst[l], std::abs((t.diagonal[i] - values[l]) * row[l] + before * above[l] + after * below[l]));
  }
  return std::all_of(worst.begin(), worst.end(), [&](double w) { return w <= most; });  // NaN is not
}

/// Eigenvectors x [n, eigen_lanes] of `values`, from a random start; whether they are accurate.
inline bool iterate(const TridiagonalView& t, ShiftedFactors& factors, const Lanes& values, double bound,
                    double* x) {
  constexpr double epsilon = std::numeric_limits<double>::epsilon();
  std::uint32_t state = 1;  // of a linear congruential generator
  for (std::size_t i = 0; i < t.size() * eigen_lanes; ++i)
    x[i] = 0.5 + 0x1p-32 * (state = state * 1664525 + 1013904223);
  factors.factor(t, values, epsilon * bound);
  for (int iteration = 0; iteration < 2; ++iteration) {
    factors.solve(x, iteration == 0);
    normalize_columns(x, t.size());
  }
  return are_eigenvectors(t, values, x, 64 * epsilon * bound);
}

/// V := V·(3 - VᵀV)/2 for [n, count], which squares the columns' departure from orthogonality; false where
/// that is not small. Source: Björck and Bowie 1971, "An iterative algorithm for computing the best estimate
/// of an orthogonal matrix".
inline bool orthonormalize_columns(const kernels::KernelTable& table, AlignedBuffer<double>& v, std::size_t n,
                                   std::size_t stride, std::size_t count, std::size_t threads) {
  constexpr double most = 1e-8, enough = 1e-15;
  const Factor<double> columns{v.data(), n, count, stride, 1};
  Matrix<double> correction = gram(table, columns.transposed(), threads);
  double departure = 0;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = 0; j < count; ++j) {
      const double expected = i == j ? 1.0 : 0.0;
      departure = std::max(departure, std::abs(correction(i, j) - expected));
      correction(i, j) = 0.5 * (3 * expected - correction(i, j));
    }
  if (!(departure <= most)) return false;
  if (departure <= enough) return true;
  const Matrix<double> turned = multiply(table, columns, factor(correction), threads);
  for (std::size_t i = 0; i < n; ++i) std::copy_n(turned.row(i), count, v.data() + i * stride);
  return true;
}

}  // namespace detail

/// The `count` largest eigenvalues of T, within a few ε·‖T‖, and their vectors; nothing where these would not
/// be orthogonal to rounding, as those of nearly equal eigenvalues. The same bytes for any number of threads.
/// Source: Wilkinson 1965, "The Algebraic Eigenvalue Problem", chapter 5.
inline std::optional<TridiagonalEigen> leading_eigenpairs(const kernels::KernelTable& table,
                                                          std::span<const double> diagonal,
                                                          std::span<const double> off_diagonal,
                                                          std::size_t count, std::size_t threads = 1) {
  constexpr std::size_t lanes = detail::eigen_lanes;
  const detail::TridiagonalView t{diagonal, off_diagonal};
  const std::size_t n = t.size(), groups = (count + lanes - 1) / lanes;
  const double bound = t.bound();
  if (groups * lanes > n || bound == 0) return {};
  std::vector<double> squares(n);
  for (std::size_t i = 0; i < n; ++i) squares[i] = off_diagonal[i] * off_diagonal[i];
  TridiagonalEigen found{std::vector<double>(groups * lanes), {}, ops::round_up(count, cache_line)};
  found.vectors = AlignedBuffer<double>(n * found.stride);
  std::vector<std::uint8_t> sound(groups);
  parallel_team(threads, [&](const Team& team) {
    const std::size_t stretch = detail::bisected;
    for (std::size_t k = team.rank() * stretch; k < groups * lanes; k += team.size() * stretch)
      detail::bisect(table, t, squares, bound, k,
                     std::span(found.values).subspan(k, std::min(stretch, groups * lanes - k)));
    team.wait();
    detail::ShiftedFactors factors(n);
    AlignedBuffer<double> x(n * lanes);
    for (std::size_t g = team.rank(); g < groups; g += team.size()) {
      detail::Lanes values;
      std::copy_n(found.values.data() + g * lanes, lanes, values.begin());
      sound[g] = detail::iterate(t, factors, values, bound, x.data());
      for (std::size_t i = 0; i < n; ++i)
        std::copy_n(x.data() + i * lanes, lanes, found.vectors.data() + i * found.stride + g * lanes);
    }
  });
  if (!std::all_of(sound.begin(), sound.end(), [](std::uint8_t s) { return s != 0; })) return {};
  if (!detail::orthonormalize_columns(table, found.vectors, n, found.stride, count, threads)) return {};
  for (std::size_t i = 0; i < n; ++i)
    std::fill(found.vectors.data() + i * found.stride + count, found.vectors.data() + (i + 1) * found.stride,
              0.0);
  found.values.resize(count);
  return found;
}

}  // namespace pantanal::ml
