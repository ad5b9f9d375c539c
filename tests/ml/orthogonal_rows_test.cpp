#include "pantanal/ml/orthogonal_rows.hpp"

#include <random>

#include "core/refused.hpp"
#include "pantanal/ml/gemm.hpp"

namespace pantanal::ml {
namespace {

Matrix<double> random_matrix(std::size_t rows, std::size_t columns, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  Matrix<double> m(rows, columns);
  for (double& v : m.values) v = normal(random);
  return m;
}

void expect_orthogonal(const Matrix<double>& m, std::size_t rows, bool unit) {
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      const double size = std::sqrt(dot(m.row(i), m.row(i), m.columns) * dot(m.row(j), m.row(j), m.columns));
      if (i != j) {
        EXPECT_LE(std::abs(dot(m.row(i), m.row(j), m.columns)), 1e-13 * size) << i << " " << j;
      }
      if (i == j && unit) {
        EXPECT_NEAR(size, 1, 1e-13);
      }
    }
}

TEST(OrthogonalRows, JacobiKeepsSmallRowsAndTheirSpan) {
  Matrix<double> y = random_matrix(6, 20, 1), companion = random_matrix(6, 4, 2);
  for (std::size_t c = 0; c < 20; ++c) y(5, c) = y(0, c) * 1e-3 + y(5, c) * 1e-9;
  double before = 0, after = 0;
  for (const double v : y.values) before += v * v;
  const Matrix<double> product = multiply(best_kernels(), factor(companion).transposed(), factor(y));
  orthogonalize_rows(y, 0, 6, &companion);
  expect_orthogonal(y, 6, false);
  for (const double v : y.values) after += v * v;
  EXPECT_NEAR(after, before, 1e-12 * before);
  const Matrix<double> same = multiply(best_kernels(), factor(companion).transposed(), factor(y));
  for (std::size_t i = 0; i < same.values.size(); ++i) EXPECT_NEAR(same.values[i], product.values[i], 1e-12);
}

TEST(OrthogonalRows, CompletesABasis) {
  Matrix<double> v(5, 5);
  for (std::size_t r = 0; r < 5; ++r) {
    if (r == 1)
      for (std::size_t c = 1; c < 5; ++c) v(1, c) = 0.5;  // orthogonal to the first axis
    else
      complete_row(v, r);
  }
  expect_orthogonal(v, 5, true);
}

TEST(OrthogonalRows, SpansTheSameAndDropsWhatIsDependent) {
  Matrix<double> w = random_matrix(4, 30, 3);
  for (std::size_t c = 0; c < 30; ++c) w(3, c) = w(0, c) - 2 * w(1, c);
  const Matrix<double> q = orthonormal_rows(w);
  ASSERT_EQ(q.rows, 3u);
  expect_orthogonal(q, 3, true);
  for (std::size_t r = 0; r < 4; ++r) {
    double inside = 0;
    for (std::size_t k = 0; k < 3; ++k) inside += std::pow(dot(q.row(k), w.row(r), 30), 2);
    EXPECT_NEAR(inside, dot(w.row(r), w.row(r), 30), 1e-12 * inside);
  }
}

}  // namespace
}  // namespace pantanal::ml
