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

}  // namespace
}  // namespace pantanal::ml
