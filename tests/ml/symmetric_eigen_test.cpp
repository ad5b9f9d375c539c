#include "pantanal/ml/symmetric_eigen.hpp"

#include <Eigen/Eigenvalues>
#include <random>

#include "core/refused.hpp"
#include "kernels/guarded.hpp"

namespace pantanal::ml {
namespace {

/// a's eigenvalues by Eigen, falling.
std::vector<double> eigens_values(const Matrix<double>& a) {
  const Eigen::Map<const Eigen::MatrixXd> m(a.values.data(), static_cast<Eigen::Index>(a.rows),
                                            static_cast<Eigen::Index>(a.rows));
  const Eigen::VectorXd values = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(m).eigenvalues().reverse();
  return {values.begin(), values.end()};
}

void check(const kernels::KernelTable& table, const Matrix<double>& a, std::size_t count) {
  const auto eigen = symmetric_eigen(table, a, count, 2);
  ASSERT_TRUE(succeeded(eigen));
  const std::size_t n = a.rows;
  double norm = 1e-300;
  for (const double v : a.values) norm = std::max(norm, std::abs(v) * static_cast<double>(n));
  const std::vector<double> expected = eigens_values(a);
  ASSERT_EQ(eigen->values.size(), count);
  for (std::size_t i = 0; i < count; ++i) ASSERT_NEAR(eigen->values[i], expected[i], 1e-14 * norm);
  for (std::size_t k = 0; k < count; ++k) {
    const double* v = eigen->vectors.row(k);
    for (std::size_t i = 0; i < n; ++i) {
      double av = 0;
      for (std::size_t j = 0; j < n; ++j) av += a(i, j) * v[j];
      ASSERT_NEAR(av, eigen->values[k] * v[i], 1e-13 * norm);
    }
    for (std::size_t l = 0; l <= k; ++l) {
      double product = 0;
      for (std::size_t i = 0; i < n; ++i) product += v[i] * eigen->vectors(l, i);
      ASSERT_NEAR(product, l == k, 1e-13 * std::sqrt(static_cast<double>(n)));
    }
  }
}

TEST(SymmetricEigen, AgreesWithEigen) {
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  for (const kernels::KernelTable* table : kernels::all_tables())
    for (const std::size_t n : {1, 2, 3, 9, 40, 97, 130})
      for (const double scale : {1.0, 1e-120, 1e140}) {
        Matrix<double> a(n, n);
        for (std::size_t i = 0; i < n; ++i)
          for (std::size_t j = 0; j <= i; ++j) a(i, j) = a(j, i) = scale * normal(random);
        check(*table, a, n == 40 ? 7 : n == 130 ? 33 : n);  // 33 of 130: by inverse iteration
      }
}

TEST(SymmetricEigen, TakesLowRankRepeatedAndZero) {
  const kernels::KernelTable& table = *kernels::all_tables().back();
  for (const std::size_t n : {5, 30, 90}) {
    Matrix<double> zero(n, n), ones(n, n), identity(n, n), blocks(n, n);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) {
        ones(i, j) = 1;
        identity(i, j) = i == j ? 3 : 0;
        blocks(i, j) = i / 3 == j / 3 ? 1 : 0;
      }
    for (const Matrix<double>* a : {&zero, &ones, &identity, &blocks}) check(table, *a, n == 90 ? 40 : n);
  }
}

}  // namespace
}  // namespace pantanal::ml
