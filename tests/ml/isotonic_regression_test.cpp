#include "pantanal/ml/isotonic_regression.hpp"

#include "ml/fixtures.hpp"

namespace pantanal::ml {
namespace {

IsotonicOptions isotonic_options_of(const FixtureCase& c) {
  IsotonicOptions options;
  if (c.options.contains("y_min")) options.y_min = c.options["y_min"].get<double>();
  if (c.options.contains("y_max")) options.y_max = c.options["y_max"].get<double>();
  if (c.options.contains("increasing"))
    options.increasing = c.options["increasing"].is_string() ? Monotone::automatic : Monotone::decreasing;
  if (c.text("out_of_bounds", "nan") == "clip") options.out_of_bounds = OutOfBounds::clip;
  return options;
}

template <class T>
void check_isotonic(const FixtureCase& c, double tolerance) {
  SCOPED_TRACE(c.options.dump());
  IsotonicRegression<T> fitted(isotonic_options_of(c));
  const Matrix<T> x = as<T>(c.matrix("x")), y = as<T>(c.matrix("y")), w = as<T>(c.matrix("weights"));
  ASSERT_TRUE(succeeded(fitted.fit(x.values, y.values, w.values)));
  expect_close(fitted.x_thresholds(), c.vector("xt"), tolerance, "x");
  expect_close(fitted.y_thresholds(), c.vector("yt"), tolerance, "y");
  const auto twin = IsotonicRegression<T>::from_state(*fitted.state());
  ASSERT_TRUE(succeeded(twin));
  auto predicted = twin->predict(as<T>(c.matrix("at")).values);
  ASSERT_TRUE(succeeded(predicted));
  for (T& v : *predicted)
    if (std::isnan(v)) v = -99;
  const std::vector<double>& expected = c.vector("predicted");
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR((*predicted)[i], expected[i], 10 * tolerance);
}

TEST(IsotonicRegression, AgreesWithScikitLearn) {
  for (const FixtureCase& c : load_cases("isotonic")) {
    check_isotonic<double>(c, 1e-13);
    check_isotonic<float>(c, 1e-6);
  }
}

TEST(IsotonicRegression, OnePointIsAConstant) {
  IsotonicRegression<double> fitted;
  const std::vector<double> x{2}, y{3}, at{-5, 2, 9};
  ASSERT_TRUE(succeeded(fitted.fit(x, y)));
  EXPECT_EQ(*fitted.predict(at), (std::vector<double>{3, 3, 3}));
}

TEST(IsotonicRegression, RefusesBadInput) {
  const std::vector<double> x{1, 2}, y{1, 2}, one{1}, outside{3}, broken{1, NAN};
  IsotonicRegression<double> fitted({.out_of_bounds = OutOfBounds::raise});
  EXPECT_TRUE(refused(fitted.predict(x), ErrorCode::invalid_argument, {"not fitted"}));
  EXPECT_TRUE(refused(fitted.fit(x, one), ErrorCode::invalid_argument, {"y", "1 entries"}));
  EXPECT_TRUE(refused(fitted.fit(x, broken), ErrorCode::invalid_argument, {"NaN"}));
  EXPECT_TRUE(refused(fitted.fit({}, {}), ErrorCode::invalid_argument, {"0 samples"}));
  ASSERT_TRUE(succeeded(fitted.fit(x, y)));
  EXPECT_TRUE(refused(fitted.predict(outside), ErrorCode::invalid_argument, {"3", "to 2"}));
  EXPECT_TRUE(refused(IsotonicRegression<double>({.y_min = 2, .y_max = 1}).fit(x, y),
                      ErrorCode::invalid_argument, {"y_min"}));
}

}  // namespace
}  // namespace pantanal::ml
