#include "pantanal/ml/pca.hpp"

#include "ml/fixtures.hpp"

namespace pantanal::ml {
namespace {

PcaOptions pca_options_of(const FixtureCase& c) {
  PcaOptions options{.n_components = 4};
  options.whiten = c.options["whiten"].get<bool>();
  const std::string solver = c.text("solver", "full");
  options.svd_solver = solver == "randomized"        ? PcaSolver::randomized
                       : solver == "covariance_eigh" ? PcaSolver::covariance_eigh
                                                     : PcaSolver::full;
  options.random_state = 3;
  return options;
}

template <class T>
void check_pca(const FixtureCase& c, double tolerance) {
  SCOPED_TRACE(c.options.dump());
  Pca<T> pca(pca_options_of(c));
  const Matrix<T> x = as<T>(c.matrix("x"));
  ASSERT_TRUE(succeeded(pca.fit(x.view())));
  expect_close(pca.components().values, c.vector("components"), tolerance, "components");
  expect_close(pca.mean(), c.vector("mean"), tolerance, "mean");
  expect_close(pca.explained_variance(), c.vector("variance"), tolerance, "variance");
  expect_close(pca.explained_variance_ratio(), c.vector("ratio"), tolerance, "ratio");
  expect_close(pca.singular_values(), c.vector("singular"), tolerance, "singular");
  EXPECT_NEAR(pca.noise_variance(), c.options["noise"].get<double>(), tolerance * pca.noise_variance());
  const auto z = pca.transform(x.view());
  ASSERT_TRUE(succeeded(z));
  expect_close(z->values, c.vector("z"), 5 * tolerance, "z");
}

TEST(Pca, AgreesWithScikitLearn) {
  for (const FixtureCase& c : load_cases("pca")) {
    check_pca<double>(c, 1e-9);
    check_pca<float>(c, 2e-6);
  }
}

TEST(Pca, FullTransformCanBeUndoneAndSurvivesAFile) {
  const FixtureCase c = load_cases("pca").at(2);
  Pca<double> pca(PcaOptions{.whiten = true});
  ASSERT_TRUE(succeeded(pca.fit(c.matrix("x"))));
  const auto state = pca.state();
  ASSERT_TRUE(succeeded(state));
  const auto twin = Pca<double>::from_state(*state);
  ASSERT_TRUE(succeeded(twin));
  const auto z = twin->transform(c.matrix("x"));
  ASSERT_TRUE(succeeded(z));
  const auto back = pca.inverse_transform(z->view());
  ASSERT_TRUE(succeeded(back));
  expect_close(back->values, c.vector("x"), 1e-12);
  EXPECT_TRUE(refused(Pca<float>::from_state(*state), ErrorCode::mismatch, {"components_", "F64", "F32"}));
}

TEST(Pca, KeepsAShareOfVariance) {
  const FixtureCase c = load_cases("pca").at(0);
  Pca<double> pca(PcaOptions{.variance_share = 0.6});
  ASSERT_TRUE(succeeded(pca.fit(c.matrix("x"))));
  double sum = 0;
  for (const double r : pca.explained_variance_ratio()) sum += r;
  EXPECT_GT(sum, 0.6);
  EXPECT_LE(sum - pca.explained_variance_ratio().back(), 0.6);
}

TEST(Pca, RefusesWhatItCannotGive) {
  const Matrix<double> x = as<double>(load_cases("pca").at(0).matrix("x"));  // [20, 7]
  EXPECT_TRUE(refused(Pca<double>(PcaOptions{.n_components = 8}).fit(x.view()), ErrorCode::invalid_argument,
                      {"n_components", "8", "7"}));
  EXPECT_TRUE(
      refused(Pca<double>().fit({x.values.data(), 1, 7}), ErrorCode::invalid_argument, {"1 samples"}));
  EXPECT_TRUE(refused(Pca<double>().transform(x.view()), ErrorCode::invalid_argument, {"not fitted"}));
  EXPECT_TRUE(refused(Pca<double>().state(), ErrorCode::invalid_argument, {"not fitted"}));
  Matrix<double> broken = x;
  broken(3, 2) = NAN;
  EXPECT_TRUE(refused(Pca<double>().fit(broken.view()), ErrorCode::invalid_argument, {"NaN"}));
}

}  // namespace
}  // namespace pantanal::ml
