#include "pantanal/ml/inverse_iteration.hpp"

#include "kernels/guarded.hpp"

namespace pantanal::ml {
namespace {

/// Entry i of eigenvector k, from 1, of ones beside a diagonal of zeros; eigenvalue 2·cos(k·π / (n + 1)).
double chain_vector(std::size_t n, std::size_t k, std::size_t i) {
  const double step = std::acos(-1.0) / static_cast<double>(n + 1);
  return std::sqrt(2 / static_cast<double>(n + 1)) * std::sin(step * static_cast<double>(k * (i + 1)));
}

TEST(InverseIteration, FindsThePairsOfAChain) {
  for (const kernels::KernelTable* table : kernels::all_tables())
    for (const std::size_t n : {40, 200}) {
      const std::size_t count = n / 2 - 3;
      std::vector<double> diagonal(n), off_diagonal(n, 1.0);
      off_diagonal.back() = 0;
      const auto found = leading_eigenpairs(*table, diagonal, off_diagonal, count, 2);
      ASSERT_TRUE(found) << to_string(table->isa) << " " << n;
      ASSERT_EQ(found->values.size(), count);
      for (std::size_t k = 0; k < count; ++k) {
        const double angle = std::acos(-1.0) * static_cast<double>(k + 1) / static_cast<double>(n + 1);
        ASSERT_NEAR(found->values[k], 2 * std::cos(angle), 4e-15);
        double along = 0;
        for (std::size_t i = 0; i < n; ++i)
          along += found->vectors[i * found->stride + k] * chain_vector(n, k + 1, i);
        ASSERT_NEAR(std::abs(along), 1, 1e-12);
        for (std::size_t l = 0; l < k; ++l) {
          double product = 0;
          for (std::size_t i = 0; i < n; ++i)
            product += found->vectors[i * found->stride + k] * found->vectors[i * found->stride + l];
          ASSERT_NEAR(product, 0, 1e-14);
        }
      }
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t k = count; k < found->stride; ++k)
          ASSERT_EQ(found->vectors[i * found->stride + k], 0);
    }
}

TEST(InverseIteration, DoesNotDependOnThreads) {
  std::vector<double> diagonal(150), off_diagonal(150);
  for (std::size_t i = 0; i < 150; ++i) {
    diagonal[i] = std::cos(static_cast<double>(i * i));
    off_diagonal[i] = i < 149 ? std::sin(static_cast<double>(i)) : 0.0;
  }
  const auto one = leading_eigenpairs(best_kernels(), diagonal, off_diagonal, 60, 1),
             three = leading_eigenpairs(best_kernels(), diagonal, off_diagonal, 60, 3);
  ASSERT_TRUE(one && three);
  EXPECT_EQ(one->values, three->values);
  for (std::size_t i = 0; i < one->vectors.size(); ++i) ASSERT_EQ(one->vectors[i], three->vectors[i]);
}

TEST(InverseIteration, FindsNothingForEqualEigenvalues) {
  const std::vector<double> zeros(80);
  std::vector<double> twice(80), pairs(80, 1.0);
  for (std::size_t i = 0; i < 80; ++i) twice[i] = static_cast<double>(i / 2);
  for (std::size_t i = 1; i < 80; i += 2) pairs[i] = 0;
  EXPECT_FALSE(leading_eigenpairs(best_kernels(), zeros, zeros, 8));
  EXPECT_FALSE(leading_eigenpairs(best_kernels(), twice, zeros, 8));
  EXPECT_FALSE(leading_eigenpairs(best_kernels(), zeros, pairs, 8));
}

}  // namespace
}  // namespace pantanal::ml
