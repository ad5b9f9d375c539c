#include "pantanal/ml/principal_axes.hpp"

#include <Eigen/SVD>
#include <random>

#include "core/refused.hpp"

namespace pantanal::ml {
namespace {

Matrix<double> decaying(std::size_t rows, std::size_t columns, double rate) {
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  Matrix<double> m(rows, columns);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c)
      m(r, c) = normal(random) * std::exp(-rate * static_cast<double>(c));
  return m;
}

/// x's right singular vectors by Eigen's Jacobi SVD must be those found, up to sign.
void check(const Matrix<double>& x, std::size_t count, double tolerance) {
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const RowMajor> m(x.values.data(), static_cast<Eigen::Index>(x.rows),
                                     static_cast<Eigen::Index>(x.columns));
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(m, Eigen::ComputeThinU | Eigen::ComputeThinV);
  const auto found = exact_axes(best_kernels(), x, count, true, 1);
  ASSERT_TRUE(succeeded(found));
  for (std::size_t k = 0; k < count; ++k) {
    const Eigen::Index column = static_cast<Eigen::Index>(k);
    EXPECT_NEAR(std::sqrt(found->squares[k]) / svd.singularValues()[column], 1, 1e-9) << k;
    double along = 0;
    for (std::size_t c = 0; c < x.columns; ++c)
      along += found->axes(k, c) * svd.matrixV()(static_cast<Eigen::Index>(c), column);
    EXPECT_NEAR(std::abs(along), 1, tolerance) << k;
  }
}

TEST(PrincipalAxes, AgreeWithAnSvd) {
  check(decaying(30, 12, 0.1), 12, 1e-12);
  check(decaying(12, 30, 0.1), 12, 1e-12);
}

TEST(PrincipalAxes, SeparateVariancesThatTheGramMatrixCannot) {
  check(decaying(40, 8, 2.0), 8, 1e-10);  // singular values down to 1e-6 of the first
  check(decaying(8, 40, 2.0), 6, 1e-9);
}

TEST(PrincipalAxes, RandomizedOnesAreExactWhereTheSubspaceHoldsThem) {
  const Matrix<double> x = decaying(30, 12, 0.3);
  const auto exact = exact_axes(best_kernels(), x, 3, true, 1);
  const auto drawn = randomized_axes(best_kernels(), x, 3, 9, 4, 7, 1);
  ASSERT_TRUE(succeeded(exact));
  ASSERT_TRUE(succeeded(drawn));
  for (std::size_t i = 0; i < drawn->axes.values.size(); ++i)
    EXPECT_NEAR(drawn->axes.values[i], exact->axes.values[i], 1e-10);
}

TEST(PrincipalAxes, OfDataWithoutVarianceAreAnyBasis) {
  for (const auto& [rows, columns] : {std::pair{9, 30}, {30, 9}}) {
    const auto drawn = randomized_axes(best_kernels(), Matrix<double>(rows, columns), 3, 4, 2, 7, 1);
    ASSERT_TRUE(succeeded(drawn));
    EXPECT_EQ(drawn->squares, std::vector<double>(3));
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 3; ++j)
        EXPECT_NEAR(dot(drawn->axes.row(i), drawn->axes.row(j), drawn->axes.columns), i == j, 1e-14);
  }
}

TEST(PrincipalAxes, FlipSignsByTheLargestEntry) {
  Matrix<double> axes(2, 3);
  axes.values = {0.1, -0.9, 0.3, 0.7, -0.7, 0.1};
  flip_signs(axes);
  EXPECT_EQ(axes.values, (std::vector<double>{-0.1, 0.9, -0.3, 0.7, -0.7, 0.1}));
}

}  // namespace
}  // namespace pantanal::ml
