#include "pantanal/ml/gemm.hpp"

#include <random>

#include "kernels/guarded.hpp"

namespace pantanal::ml {
namespace {

template <class T>
Matrix<T> random_matrix(std::size_t rows, std::size_t columns, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  Matrix<T> m(rows, columns);
  for (T& v : m.values) v = static_cast<T>(normal(random));
  return m;
}

template <class T>
double reference(const Factor<T>& a, const Factor<T>& b, std::size_t r, std::size_t c) {
  double sum = 0;
  for (std::size_t k = 0; k < a.columns; ++k)
    sum += static_cast<double>(a.data[r * a.row_stride + k * a.column_stride]) *
           static_cast<double>(b.data[k * b.row_stride + c * b.column_stride]);
  return sum;
}

template <class T>
class Multiply : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Multiply, Types);

TYPED_TEST(Multiply, AgreesWithSumsInDouble) {
  using T = TypeParam;
  for (const kernels::KernelTable* table : kernels::all_tables())
    for (const auto& [n, k, m] : {std::tuple{1, 1, 1}, {5, 3, 17}, {100, 300, 33}, {13, 520, 50}}) {
      const Matrix<T> a = random_matrix<T>(n, k, 1), b = random_matrix<T>(k, m, 2),
                      bt = random_matrix<T>(m, k, 3);
      const double tolerance = std::is_same_v<T, float> ? 1e-5 * k : 1e-13 * k;
      const Matrix<T> ab = multiply(*table, factor(a), factor(b)),
                      abt = multiply(*table, factor(a), factor(bt).transposed(), 3),
                      ata = gram(*table, factor(a).transposed(), 2);
      for (std::size_t r = 0; r < ab.rows; ++r)
        for (std::size_t c = 0; c < ab.columns; ++c) {
          ASSERT_NEAR(ab(r, c), reference(factor(a), factor(b), r, c), tolerance);
          ASSERT_NEAR(abt(r, c), reference(factor(a), factor(bt).transposed(), r, c), tolerance);
        }
      for (std::size_t r = 0; r < ata.rows; ++r)
        for (std::size_t c = 0; c < ata.columns; c += 7)
          ASSERT_NEAR(ata(r, c), reference(factor(a).transposed(), factor(a), r, c), tolerance);
    }
}

TYPED_TEST(Multiply, DoesNotDependOnThreads) {
  using T = TypeParam;
  const Matrix<T> a = random_matrix<T>(211, 300, 1);
  const Matrix<T> one = gram(best_kernels(), factor(a), 1);
  for (const std::size_t threads : {2, 3, 7})
    EXPECT_EQ(gram(best_kernels(), factor(a), threads).values, one.values);
}

}  // namespace
}  // namespace pantanal::ml
