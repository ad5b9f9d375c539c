#include "pantanal/ml/tridiagonal.hpp"

#include <random>

#include "kernels/guarded.hpp"
#include "pantanal/ml/gemm.hpp"

namespace pantanal::ml {
namespace {

/// Q·T·Qᵀ, with Q from the reflections, must be the matrix again.
void check(const kernels::KernelTable& table, std::size_t n) {
  std::mt19937 random(static_cast<unsigned>(n));
  std::normal_distribution<double> normal;
  Matrix<double> a(n, n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j <= i; ++j) a(i, j) = a(j, i) = i == 3 ? 0.0 : normal(random);
  const Tridiagonal t = tridiagonalize(table, a, n % 3 + 1);
  const std::size_t stride = ops::round_up(n, cache_line);
  AlignedBuffer<double> q(n * stride);
  for (std::size_t i = 0; i < n; ++i) q[i * stride + i] = 1;
  apply_reflections(table, t, q.data(), stride, stride);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      double sum = 0, product = 0;
      for (std::size_t k = 0; k < n; ++k) {
        double tq = t.diagonal[k] * q[j * stride + k];
        if (k > 0) tq += t.off_diagonal[k - 1] * q[j * stride + k - 1];
        if (k + 1 < n) tq += t.off_diagonal[k] * q[j * stride + k + 1];
        sum += q[i * stride + k] * tq;
        product += q[i * stride + k] * q[j * stride + k];
      }
      ASSERT_NEAR(sum, a(i, j), 1e-12 * static_cast<double>(n)) << i << ", " << j;
      ASSERT_NEAR(product, i == j, 1e-13 * static_cast<double>(n));
    }
}

TEST(Tridiagonal, ReflectsBackToTheMatrix) {
  for (const kernels::KernelTable* table : kernels::all_tables())
    for (const std::size_t n : {1, 2, 3, 15, 16, 17, 33, 70, 137}) {
      SCOPED_TRACE(testing::Message() << to_string(table->isa) << " " << n);
      check(*table, n);
    }
}

TEST(Tridiagonal, DoesNotDependOnThreads) {
  Matrix<double> a(120, 120);
  for (std::size_t i = 0; i < 120; ++i)
    for (std::size_t j = 0; j < 120; ++j) a(i, j) = std::cos(static_cast<double>(i * j + i + j));
  const Tridiagonal one = tridiagonalize(best_kernels(), a, 1), three = tridiagonalize(best_kernels(), a, 3);
  EXPECT_EQ(one.diagonal, three.diagonal);
  EXPECT_EQ(one.off_diagonal, three.off_diagonal);
}

}  // namespace
}  // namespace pantanal::ml
