#include "pantanal/ml/standard_scaler.hpp"

#include <numeric>

#include "ml/fixtures.hpp"

namespace pantanal::ml {
namespace {

TEST(StandardScaler, AgreesWithScikitLearn) {
  for (const FixtureCase& c : load_cases("scaler")) {
    const std::vector<double> weights =
        c.reals.contains("weights") ? c.vector("weights") : std::vector<double>();
    StandardScaler scaler;
    ASSERT_TRUE(succeeded(scaler.fit<double>(c.matrix("x"), weights)));
    expect_close(scaler.mean(), c.vector("mean"), 1e-14, "mean");
    expect_close(scaler.var(), c.vector("var"), 1e-14, "var");
    expect_close(scaler.scale(), c.vector("scale"), 1e-14, "scale");
    const auto state = scaler.state();
    ASSERT_TRUE(succeeded(state));
    const auto twin = StandardScaler::from_state(*state);
    ASSERT_TRUE(succeeded(twin));
    const auto z = twin->transform(c.matrix("x"));
    ASSERT_TRUE(succeeded(z));
    expect_close(z->values, c.vector("z"), 1e-13, "z");
    const auto back = scaler.inverse_transform(z->view());
    ASSERT_TRUE(succeeded(back));
    expect_close(back->values, c.vector("x"), 1e-13, "x");
    const auto narrow = scaler.transform(as<float>(c.matrix("x")).view());
    ASSERT_TRUE(succeeded(narrow));
    expect_close(narrow->values, c.vector("z"), 1e-5, "float z");
  }
}

TEST(StandardScaler, PartsAreAsGoodAsTheWhole) {
  for (const FixtureCase& c : load_cases("scaler")) {
    const MatrixView<double> x = c.matrix("x");
    const std::size_t first = x.rows / 3;
    const std::span<const double> weights = c.reals.contains("weights")
                                                ? std::span<const double>(c.vector("weights"))
                                                : std::span<const double>();
    const auto part = [&](std::size_t begin, std::size_t end) {
      return weights.empty() ? weights : weights.subspan(begin, end - begin);
    };
    const auto sum = [](std::span<const double> w) { return std::accumulate(w.begin(), w.end(), 0.0); };
    if (first == 0 || (!weights.empty() && (sum(part(0, first)) == 0 || sum(part(first, x.rows)) == 0)))
      continue;
    StandardScaler whole, parts;
    ASSERT_TRUE(succeeded(whole.fit<double>(x, weights)));
    ASSERT_TRUE(succeeded(parts.partial_fit<double>({x.data, first, x.columns}, part(0, first))));
    ASSERT_TRUE(
        succeeded(parts.partial_fit<double>({x.row(first), x.rows - first, x.columns}, part(first, x.rows))));
    EXPECT_NEAR(parts.n_samples_seen(), whole.n_samples_seen(), 1e-12 * whole.n_samples_seen());
    expect_close(parts.mean(), whole.mean(), 1e-12, "mean");
    for (std::size_t k = 0; k < x.columns; ++k)
      EXPECT_NEAR(parts.var()[k], whole.var()[k],
                  1e-12 * (whole.var()[k] + whole.mean()[k] * whole.mean()[k]));
  }
}

TEST(StandardScaler, RefusesBadInput) {
  const Matrix<double> x(4, 2);
  EXPECT_TRUE(refused(StandardScaler().transform(x.view()), ErrorCode::invalid_argument, {"not fitted"}));
  StandardScaler scaler;
  ASSERT_TRUE(succeeded(scaler.fit<double>(x.view())));
  EXPECT_TRUE(
      refused(scaler.transform(Matrix<double>(4, 3).view()), ErrorCode::invalid_argument, {"3", "2"}));
  EXPECT_TRUE(refused(scaler.partial_fit<double>(Matrix<double>(4, 3).view()), ErrorCode::invalid_argument,
                      {"3", "2"}));
  Matrix<double> broken = x;
  broken(1, 1) = INFINITY;
  EXPECT_TRUE(refused(scaler.fit<double>(broken.view()), ErrorCode::invalid_argument, {"infinity"}));
}

}  // namespace
}  // namespace pantanal::ml
