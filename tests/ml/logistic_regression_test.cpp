#include "pantanal/ml/logistic_regression.hpp"

#include "ml/fixtures.hpp"

namespace pantanal::ml {
namespace {

TEST(LogisticRegression, AgreesWithLiblinear) {
  for (const FixtureCase& c : load_cases("logistic")) {
    SCOPED_TRACE(c.options.dump());
    LogisticRegressionOptions options;
    options.C = c.options.value("C", 1.0);
    options.balanced = c.options.contains("class_weight");
    options.fit_intercept = c.options.value("fit_intercept", true);
    options.intercept_scaling = c.options.value("intercept_scaling", 1.0);
    LogisticRegression model(options);
    ASSERT_TRUE(succeeded(model.fit(c.matrix("x"), c.integers.at("y"))));
    EXPECT_TRUE(model.converged());
    expect_close(model.coef(), c.vector("coef"), 1e-5, "coef");
    EXPECT_NEAR(model.intercept(), c.vector("intercept")[0], 1e-5);
    const auto state = model.state();
    ASSERT_TRUE(succeeded(state));
    const auto twin = LogisticRegression::from_state(*state);
    ASSERT_TRUE(succeeded(twin));
    const auto p = twin->predict_proba(c.matrix("x"));
    ASSERT_TRUE(succeeded(p));
    expect_close(p->values, c.vector("p"), 1e-5, "p");
    const auto labels = model.predict(c.matrix("x"));
    ASSERT_TRUE(succeeded(labels));
    for (std::size_t i = 0; i < labels->size(); ++i) EXPECT_EQ((*labels)[i], (*p)(i, 1) > 0.5 ? 2 : 0);
  }
}

TEST(LogisticRegression, RefusesBadInput) {
  const Matrix<double> x(4, 2);
  const std::vector<std::int64_t> one{1, 1, 1, 1}, three{0, 1, 2, 0}, two{0, 1, 0, 1};
  EXPECT_TRUE(refused(LogisticRegression().fit(x.view(), one), ErrorCode::invalid_argument, {"1 classes"}));
  EXPECT_TRUE(refused(LogisticRegression().fit(x.view(), three), ErrorCode::invalid_argument, {"3 classes"}));
  EXPECT_TRUE(refused(LogisticRegression({.C = 0}).fit(x.view(), two), ErrorCode::invalid_argument, {"C"}));
  EXPECT_TRUE(refused(LogisticRegression().predict(x.view()), ErrorCode::invalid_argument, {"not fitted"}));
  EXPECT_TRUE(succeeded(LogisticRegression().fit(x.view(), two)));  // constant columns are no obstacle
}

}  // namespace
}  // namespace pantanal::ml
