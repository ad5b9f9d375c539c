#include "pantanal/ml/cholesky.hpp"

#include "core/refused.hpp"

namespace pantanal::ml {
namespace {

TEST(Cholesky, SolvesWhatItFactors) {
  constexpr std::size_t n = 9;
  Matrix<double> a(n, n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j)
      a(i, j) = (i == j ? 3.0 : 0.0) + std::cos(static_cast<double>(i) - static_cast<double>(j));
  std::vector<double> x(n), b(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = std::sin(static_cast<double>(i));
  for (std::size_t i = 0; i < n; ++i) b[i] = dot(a.row(i), x.data(), n);
  ASSERT_TRUE(succeeded(cholesky_factor(a)));
  const std::vector<double> found = cholesky_solve(a, b);
  for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(found[i], x[i], 1e-13);
}

TEST(Cholesky, InvertsItsFactor) {
  Matrix<double> l(3, 3);
  l.values = {2, 0, 0, 1, 4, 0, -3, 0.5, 0.25};
  const Matrix<double> inverse = inverse_lower(l);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < 3; ++k) sum += l(i, k) * inverse(k, j);
      EXPECT_DOUBLE_EQ(sum, i == j ? 1.0 : 0.0) << i << ", " << j;
    }
}

TEST(Cholesky, RefusesWhatIsNotPositiveDefinite) {
  Matrix<double> a(2, 2);
  a.values = {1, 2, 2, 1};
  EXPECT_TRUE(refused(cholesky_factor(a), ErrorCode::invalid_argument, {"pivot", "positive definite"}));
}

}  // namespace
}  // namespace pantanal::ml
