// MlpOptions: the constructor arguments of MLPClassifier, under scikit-learn's names and with its defaults.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "pantanal/core/result.hpp"

namespace pantanal::ml {

enum class MlpActivation { identity, logistic, tanh, relu };
enum class MlpSolver { adam, sgd };
enum class MlpLearningRate { constant, invscaling, adaptive };

/// What early stopping judges the validation samples by, weighted.
enum class MlpValidation {
  accuracy,  ///< scikit-learn's
  log_loss  ///< not in scikit-learn: the negative mean log-loss, which few validation samples do not quantize
};

struct MlpOptions {
  std::vector<std::size_t> hidden_layer_sizes = {100};
  MlpActivation activation = MlpActivation::relu;
  MlpSolver solver = MlpSolver::adam;
  double alpha = 1e-4;                                        ///< L2 penalty
  std::size_t batch_size = 0;                                 ///< 0: min(200, samples), scikit-learn's "auto"
  MlpLearningRate learning_rate = MlpLearningRate::constant;  ///< of sgd
  double learning_rate_init = 1e-3;
  double power_t = 0.5;  ///< exponent of invscaling
  std::size_t max_iter = 200;
  bool shuffle = true;
  std::uint32_t random_state = 0;
  double tol = 1e-4;
  double momentum = 0.9;
  bool nesterovs_momentum = true;
  bool early_stopping = false;
  double validation_fraction = 0.1;
  double beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-8;
  std::size_t n_iter_no_change = 10;
  bool warm_start = false;  ///< fit() goes on from the last fit's parameters
  MlpValidation validation_score = MlpValidation::accuracy;
  /// Not in scikit-learn: sample weights are whole numbers, and after the early stopping's split a training
  /// sample is there as often as its weight says; validation samples are weighted.
  bool repeat_by_weight = false;
};

/// Whether every option is in the range that scikit-learn accepts.
inline Status validate(const MlpOptions& o) {
  const auto refuse = [](const char* where, double found, const char* expected) {
    return Error{ErrorCode::invalid_argument, where, std::to_string(found), expected};
  };
  for (const std::size_t size : o.hidden_layer_sizes)
    if (size < 1) return refuse("hidden_layer_sizes", 0, "sizes of at least 1");
  const auto at_least_0 = [](double x) { return x >= 0 && std::isfinite(x); };
  if (!at_least_0(o.alpha)) return refuse("alpha", o.alpha, "at least 0");
  if (!(o.learning_rate_init > 0 && std::isfinite(o.learning_rate_init)))
    return refuse("learning_rate_init", o.learning_rate_init, "more than 0");
  if (!at_least_0(o.power_t)) return refuse("power_t", o.power_t, "at least 0");
  if (o.max_iter < 1) return refuse("max_iter", 0, "at least 1");
  if (!at_least_0(o.tol)) return refuse("tol", o.tol, "at least 0");
  if (!(o.momentum >= 0 && o.momentum <= 1)) return refuse("momentum", o.momentum, "from 0 to 1");
  if (!(o.validation_fraction >= 0 && o.validation_fraction < 1))
    return refuse("validation_fraction", o.validation_fraction, "in [0, 1)");
  if (!(o.beta_1 >= 0 && o.beta_1 < 1)) return refuse("beta_1", o.beta_1, "in [0, 1)");
  if (!(o.beta_2 >= 0 && o.beta_2 < 1)) return refuse("beta_2", o.beta_2, "in [0, 1)");
  if (!(o.epsilon > 0 && std::isfinite(o.epsilon))) return refuse("epsilon", o.epsilon, "more than 0");
  if (o.n_iter_no_change < 1) return refuse("n_iter_no_change", 0, "at least 1");
  return {};
}

}  // namespace pantanal::ml
