#include "pantanal/ml/mlp_optimizer.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace pantanal::ml {
namespace {

constexpr std::size_t count = 32;

TEST(MlpOptimizer, AdamFollowsItsEquations) {
  MlpOptions options;
  options.learning_rate_init = 0.01;
  MlpOptimizer<double> optimizer(best_kernels(), options, count);
  std::vector<double> w(count, 0.5), g(count), m(count), v(count), expected(count, 0.5);
  for (int t = 1; t <= 5; ++t) {
    double squares = 0;
    for (std::size_t i = 0; i < count; ++i) {
      squares += expected[i] * expected[i];
      g[i] = std::sin(static_cast<double>(i) * t);
      const double gradient = (g[i] + 0.1 * expected[i]) / 7;
      m[i] = 0.9 * m[i] + 0.1 * gradient;
      v[i] = 0.999 * v[i] + 0.001 * gradient * gradient;
      const double rate = 0.01 * std::sqrt(1 - std::pow(0.999, t)) / (1 - std::pow(0.9, t));
      expected[i] -= rate * m[i] / (std::sqrt(v[i]) + 1e-8);  // ε after the correction, as in scikit-learn
    }
    optimizer.begin_step();
    EXPECT_NEAR(optimizer.update(w.data(), 0, count, g.data(), 0.1, 1.0 / 7), squares, 1e-12);
    for (std::size_t i = 0; i < count; ++i) ASSERT_NEAR(w[i], expected[i], 1e-14) << i;
  }
}

TEST(MlpOptimizer, SgdHasNesterovsMomentum) {
  for (const bool nesterov : {true, false}) {
    MlpOptions options;
    options.solver = MlpSolver::sgd;
    options.nesterovs_momentum = nesterov;
    options.learning_rate_init = 0.1;
    MlpOptimizer<double> optimizer(best_kernels(), options, 1);
    double w = 1, velocity = 0, expected = 1;
    for (int t = 0; t < 4; ++t) {
      const double gradient = 2 * expected, given = 2 * w;
      velocity = 0.9 * velocity - 0.1 * gradient;
      expected += nesterov ? 0.9 * velocity - 0.1 * gradient : velocity;
      optimizer.begin_step();
      optimizer.update(&w, 0, 1, &given, 0, 1);
      EXPECT_NEAR(w, expected, 1e-15);
    }
  }
}

TEST(MlpOptimizer, AdaptiveRateFallsBeforeItStops) {
  MlpOptions options;
  options.solver = MlpSolver::sgd;
  options.learning_rate_init = 1e-5;
  EXPECT_TRUE(MlpOptimizer<float>(best_kernels(), options, 1).stop());
  options.learning_rate = MlpLearningRate::adaptive;
  MlpOptimizer<float> optimizer(best_kernels(), options, 1);
  EXPECT_FALSE(optimizer.stop());  // 2e-6
  EXPECT_FALSE(optimizer.stop());  // 4e-7
  EXPECT_TRUE(optimizer.stop());
}

TEST(MlpOptimizer, InvscalingFollowsTheSamplesSeen) {
  MlpOptions options;
  options.solver = MlpSolver::sgd;
  options.learning_rate = MlpLearningRate::invscaling;
  options.learning_rate_init = 1;
  options.momentum = 0;
  options.nesterovs_momentum = false;
  MlpOptimizer<double> optimizer(best_kernels(), options, 1);
  optimizer.end_epoch(99);
  double w = 0;
  const double gradient = 1;
  optimizer.update(&w, 0, 1, &gradient, 0, 1);
  EXPECT_NEAR(w, -0.1, 1e-15);
}

}  // namespace
}  // namespace pantanal::ml
