#include "pantanal/ml/matrix.hpp"

#include <limits>

#include "core/refused.hpp"

namespace pantanal::ml {
namespace {

TEST(Matrix, FindsWhatIsNotFinite) {
  std::vector<double> values(100, 1.0);
  EXPECT_TRUE(all_finite(std::span<const double>(values)));
  values[41] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(all_finite(std::span<const double>(values)));
  EXPECT_TRUE(refused(check_finite(std::span<const double>(values), "X"), ErrorCode::invalid_argument,
                      {"X", "NaN at index 41"}));
  values[41] = -std::numeric_limits<double>::infinity();
  EXPECT_TRUE(
      refused(check_finite(std::span<const double>(values), "X"), ErrorCode::invalid_argument, {"infinity"}));
}

TEST(Matrix, ChecksWhatEstimatorsAreGiven) {
  const Matrix<float> x(3, 2);
  EXPECT_TRUE(succeeded(check_matrix(x.view())));
  EXPECT_TRUE(refused(check_matrix(x.view(), 4), ErrorCode::invalid_argument, {"3 samples", "at least 4"}));
  EXPECT_TRUE(refused(check_matrix(Matrix<float>(3, 0).view()), ErrorCode::invalid_argument, {"0 features"}));
  EXPECT_TRUE(refused(check_length(2, 3, "y"), ErrorCode::invalid_argument, {"y", "2 entries", "3"}));
  EXPECT_TRUE(
      refused(check_features(x.view(), 0, "PCA"), ErrorCode::invalid_argument, {"PCA", "not fitted"}));
  EXPECT_TRUE(refused(check_features(x.view(), 5, "PCA"), ErrorCode::invalid_argument, {"2 features", "5"}));
  const std::vector<float> negative{1, -1, 1}, zero{0, 0, 0}, good{0, 1, 2};
  EXPECT_TRUE(
      refused(check_weights(std::span<const float>(negative), 3), ErrorCode::invalid_argument, {"negative"}));
  EXPECT_TRUE(refused(check_weights(std::span<const float>(zero), 3), ErrorCode::invalid_argument,
                      {"positive weight"}));
  EXPECT_TRUE(refused(check_weights(std::span<const float>(good), 4), ErrorCode::invalid_argument,
                      {"sample_weight"}));
  EXPECT_TRUE(succeeded(check_weights(std::span<const float>(good), 3)));
}

}  // namespace
}  // namespace pantanal::ml
