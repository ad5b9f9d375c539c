#include "pantanal/ml/mlp_classifier.hpp"

#include "ml/fixtures.hpp"

namespace pantanal::ml {
namespace {

MlpOptions mlp_options_of(const FixtureCase& c) {
  const nlohmann::json& o = c.options;
  MlpOptions options;
  options.random_state = 42;
  options.hidden_layer_sizes = o["hidden_layer_sizes"].get<std::vector<std::size_t>>();
  const std::string activation = c.text("activation", "relu"), rate = c.text("learning_rate", "constant");
  options.activation = activation == "tanh"       ? MlpActivation::tanh
                       : activation == "logistic" ? MlpActivation::logistic
                                                  : MlpActivation::relu;
  options.solver = c.text("solver", "adam") == "sgd" ? MlpSolver::sgd : MlpSolver::adam;
  options.learning_rate = rate == "adaptive"     ? MlpLearningRate::adaptive
                          : rate == "invscaling" ? MlpLearningRate::invscaling
                                                 : MlpLearningRate::constant;
  options.max_iter = o["max_iter"].get<std::size_t>();
  options.batch_size = o.value("batch_size", std::size_t{0});
  options.alpha = o.value("alpha", 1e-4);
  options.shuffle = o.value("shuffle", true);
  options.early_stopping = o.value("early_stopping", false);
  options.n_iter_no_change = o.value("n_iter_no_change", std::size_t{10});
  options.nesterovs_momentum = o.value("nesterovs_momentum", true);
  return options;
}

template <class T>
void check_mlp(const FixtureCase& c, double tolerance) {
  SCOPED_TRACE(c.options.dump());
  const Matrix<T> x = as<T>(c.matrix("x"));
  std::vector<T> weights;
  if (c.reals.contains("weights")) weights.assign(c.vector("weights").begin(), c.vector("weights").end());
  MlpClassifier<T> mlp(mlp_options_of(c));
  ASSERT_TRUE(succeeded(mlp.fit(x.view(), c.integers.at("y"), weights)));
  expect_close(mlp.history().loss_curve, c.vector("loss"), tolerance, "loss");
  const auto p = mlp.predict_proba(x.view());
  ASSERT_TRUE(succeeded(p));
  expect_close(p->values, c.vector("p"), 10 * tolerance, "p");
  const auto state = mlp.state();
  ASSERT_TRUE(succeeded(state));
  const auto twin = MlpClassifier<T>::from_state(*state);
  ASSERT_TRUE(succeeded(twin));
  EXPECT_EQ(twin->predict_proba(x.view())->values, p->values);
  EXPECT_EQ(*twin->predict(x.view()), *mlp.predict(x.view()));
}

TEST(MlpClassifier, AgreesWithScikitLearn) {
  for (const FixtureCase& c : load_cases("mlp")) {
    check_mlp<double>(c, 1e-10);
    check_mlp<float>(c, 1e-4);
  }
}

std::vector<double> parameters_of(const MlpClassifier<double>& mlp) {
  const auto& parameters = mlp.network().parameters();
  return {parameters.data(), parameters.data() + parameters.size()};
}

TEST(MlpClassifier, EpochsOneByOneAreAFitWithoutShuffling) {
  const FixtureCase c = load_cases("mlp").at(0);
  MlpOptions options;
  options.hidden_layer_sizes = {9, 5};
  options.max_iter = 5;
  options.shuffle = false;
  MlpClassifier<double> whole(options), parts(options);
  const std::vector<std::int64_t>& y = c.integers.at("y");
  ASSERT_TRUE(succeeded(whole.fit(c.matrix("x"), y)));
  const std::vector<std::int64_t> classes = whole.classes();
  for (int epoch = 0; epoch < 5; ++epoch)
    ASSERT_TRUE(succeeded(parts.partial_fit(c.matrix("x"), y, classes)));
  EXPECT_EQ(parameters_of(whole), parameters_of(parts));
  EXPECT_EQ(parts.history().loss_curve, whole.history().loss_curve);
  EXPECT_EQ(parts.history().iterations, 1u);
  EXPECT_EQ(parts.history().samples_seen, 5 * y.size());
}

TEST(MlpClassifier, WarmStartGoesOnAndARefusedFitLeavesItAlone) {
  const FixtureCase c = load_cases("mlp").at(0);
  MlpOptions options;
  options.max_iter = 4;
  options.warm_start = true;
  MlpClassifier<double> mlp(options);
  std::vector<std::int64_t> y = c.integers.at("y");
  ASSERT_TRUE(succeeded(mlp.fit(c.matrix("x"), y)));
  const double first = mlp.history().loss_curve.back();
  ASSERT_TRUE(succeeded(mlp.fit(c.matrix("x"), y)));
  EXPECT_EQ(mlp.history().loss_curve.size(), 8u);
  EXPECT_LT(mlp.history().loss_curve.back(), first);
  const std::vector<double> before = parameters_of(mlp);
  y[0] = 77;
  EXPECT_TRUE(refused(mlp.fit(c.matrix("x"), y), ErrorCode::invalid_argument, {"classes", "warm_start"}));
  EXPECT_TRUE(refused(mlp.partial_fit(c.matrix("x"), y), ErrorCode::invalid_argument, {"77"}));
  options.hidden_layer_sizes = {3};
  mlp.set_options(options);
  EXPECT_TRUE(refused(mlp.fit(c.matrix("x"), c.integers.at("y")), ErrorCode::invalid_argument, {"layers"}));
  EXPECT_EQ(parameters_of(mlp), before);
  EXPECT_EQ(mlp.history().loss_curve.size(), 8u);
  EXPECT_TRUE(refused(MlpClassifier<double>().partial_fit(c.matrix("x"), y), ErrorCode::invalid_argument,
                      {"classes"}));
}

TEST(MlpClassifier, ManyAtOnceAreAsOneByOne) {
  const FixtureCase c = load_cases("mlp").at(0);
  std::vector<MlpClassifier<double>> alone, together;
  for (std::uint32_t seed = 0; seed < 5; ++seed) {
    MlpOptions options = mlp_options_of(c);
    options.random_state = seed;
    alone.emplace_back(options);
    together.emplace_back(options);
    ASSERT_TRUE(succeeded(alone.back().fit(c.matrix("x"), c.integers.at("y"))));
  }
  std::vector<MlpTask<double>> tasks;
  for (auto& classifier : together) tasks.push_back({&classifier, c.matrix("x"), c.integers.at("y")});
  for (const Status& status : fit_all<double>(tasks, 3)) EXPECT_TRUE(succeeded(status));
  for (std::size_t i = 0; i < 5; ++i)
    EXPECT_EQ(together[i].network().coefs(0).values, alone[i].network().coefs(0).values);
}

TEST(MlpClassifier, RefusesBadInput) {
  const FixtureCase c = load_cases("mlp").at(0);
  Matrix<double> x = as<double>(c.matrix("x"));
  MlpClassifier<double> mlp;
  EXPECT_TRUE(refused(mlp.predict_proba(x.view()), ErrorCode::invalid_argument, {"not fitted"}));
  EXPECT_TRUE(refused(mlp.state(), ErrorCode::invalid_argument, {"not fitted"}));
  const std::vector<std::int64_t> few{0, 1};
  EXPECT_TRUE(refused(mlp.fit(x.view(), few), ErrorCode::invalid_argument, {"y", "2 entries", "60"}));
  x(2, 2) = NAN;
  EXPECT_TRUE(refused(mlp.fit(x.view(), c.integers.at("y")), ErrorCode::invalid_argument, {"NaN"}));
  EstimatorState other{.estimator = "PCA"};
  EXPECT_TRUE(
      refused(MlpClassifier<double>::from_state(other), ErrorCode::mismatch, {"PCA", "MLPClassifier"}));
}

}  // namespace
}  // namespace pantanal::ml
