#include "pantanal/ml/mlp_trainer.hpp"

#include "ml/fixtures.hpp"

namespace pantanal::ml {
namespace {

struct Problem {
  Matrix<double> x{40, 3};
  Matrix<std::uint8_t> targets{40, 1};
  std::vector<double> weights;

  Problem() {
    RandomState random(1);
    for (double& v : x.values) v = random.standard_normal();
    for (std::size_t r = 0; r < 40; ++r) targets(r, 0) = x(r, 0) > 0;
  }
  /// The loss curve and final parameters of a training.
  std::pair<MlpHistory, std::vector<double>> train(const MlpOptions& options) const {
    MlpNetwork<double> network(best_kernels(), {3, 6, 1}, options.activation, MlpOutput::logistic);
    RandomState random(42);
    network.initialize(random);
    MlpProgress<double> progress;
    EXPECT_TRUE(
        succeeded(MlpTrainer<double>(network, options, x.view(), targets, weights, progress).fit(random)));
    return {progress.history, network.coefs(0).values};
  }
};

TEST(MlpTrainer, RepeatedRowsAreAsGoodAsWeights) {
  Problem once, twice;
  once.weights.assign(40, 1.0);
  for (std::size_t r = 0; r < 10; ++r) once.weights[r] = 2;
  twice.x.values.insert(twice.x.values.end(), once.x.values.begin(), once.x.values.begin() + 30);
  twice.targets.values.insert(twice.targets.values.end(), once.targets.values.begin(),
                              once.targets.values.begin() + 10);
  twice.x.rows = twice.targets.rows = 50;
  MlpOptions options;
  options.max_iter = 10;
  options.shuffle = false;  // both are one batch
  const auto [a, w] = once.train(options);
  const auto [b, v] = twice.train(options);
  expect_close(b.loss_curve, a.loss_curve, 1e-12);
  expect_close(v, w, 1e-10);
}

TEST(MlpTrainer, StopsWhenTheLossNoLongerFalls) {
  MlpOptions options;
  options.max_iter = 500;
  options.tol = 0.05;
  options.n_iter_no_change = 3;
  const auto [history, w] = Problem().train(options);
  EXPECT_LT(history.loss_curve.size(), 500u);
  EXPECT_FALSE(history.reached_max_iter);
  EXPECT_EQ(history.samples_seen, 40 * history.loss_curve.size());
}

TEST(MlpTrainer, ReturnsToTheBestValidationScore) {
  MlpOptions options;
  options.max_iter = 60;
  options.early_stopping = true;
  options.validation_fraction = 0.25;
  options.learning_rate_init = 0.01;
  const auto [history, w] = Problem().train(options);
  ASSERT_EQ(history.validation_scores.size(), history.loss_curve.size());
  EXPECT_EQ(history.best_validation_score,
            *std::max_element(history.validation_scores.begin(), history.validation_scores.end()));
}

MlpOptions stopped_early() {
  MlpOptions options;
  options.max_iter = 12;
  options.early_stopping = true;
  options.validation_fraction = 0.25;
  options.learning_rate_init = 0.01;
  return options;
}

TEST(MlpTrainer, RepeatsTrainingSamplesAfterTheSplit) {
  Problem problem;
  MlpOptions options = stopped_early();
  options.repeat_by_weight = true;
  problem.weights.assign(40, 3.0);
  const auto [history, w] = problem.train(options);
  EXPECT_EQ(history.samples_seen, 3 * 30 * history.loss_curve.size());
  // Weights that are all one repeat nothing.
  problem.weights.assign(40, 1.0);
  const auto [ones, v] = problem.train(options);
  problem.weights.clear();
  options.repeat_by_weight = false;
  const auto [none, u] = problem.train(options);
  EXPECT_EQ(ones.validation_scores, none.validation_scores);
  EXPECT_EQ(v, u);
}

TEST(MlpTrainer, RefusesToRepeatByWhatIsNoCount) {
  Problem problem;
  MlpOptions options = stopped_early();
  options.repeat_by_weight = true;
  for (const double weight : {1.5, -1.0, 1e9, 0.0}) {
    problem.weights.assign(40, weight);
    MlpNetwork<double> network(best_kernels(), {3, 6, 1}, options.activation, MlpOutput::logistic);
    RandomState random(42);
    network.initialize(random);
    MlpProgress<double> progress;
    EXPECT_TRUE(refused(
        MlpTrainer<double>(network, options, problem.x.view(), problem.targets, problem.weights, progress)
            .fit(random),
        ErrorCode::invalid_argument, {"sample_weight"}));
  }
}

/// Without copies, the score of the epoch that is kept is that of the network that comes out.
TEST(MlpTrainer, ScoresValidationByItsLogLoss) {
  const Problem problem;
  MlpOptions options = stopped_early();
  options.validation_score = MlpValidation::log_loss;
  MlpNetwork<double> network(best_kernels(), {3, 6, 1}, options.activation, MlpOutput::logistic);
  RandomState random(42);
  network.initialize(random);
  RandomState again = random;
  MlpProgress<double> progress;
  ASSERT_TRUE(succeeded(
      MlpTrainer<double>(network, options, problem.x.view(), problem.targets, problem.weights, progress)
          .fit(random)));
  const std::vector<std::int64_t> labels(problem.targets.values.begin(), problem.targets.values.end());
  const auto split = stratified_shuffle_split(labels, {.share = 0.25}, {}, again);
  ASSERT_TRUE(succeeded(split));
  const Matrix<double> p = network.predict(problem.x.view());
  double sum = 0;
  for (const std::size_t i : split->test) sum += std::log(labels[i] == 1 ? p(i, 0) : 1 - p(i, 0));
  EXPECT_NEAR(progress.history.best_validation_score, sum / 10, 1e-12);
}

}  // namespace
}  // namespace pantanal::ml
