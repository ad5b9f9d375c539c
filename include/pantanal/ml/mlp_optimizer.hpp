// MlpOptimizer: Adam and SGD over a perceptron's parameters, stretch by stretch.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/ml/gemm.hpp"
#include "pantanal/ml/mlp_options.hpp"

namespace pantanal::ml {

/// State and schedule of scikit-learn's stochastic optimizers. begin_step() once per batch, then update() for
/// each stretch of parameters.
template <Real T>
class MlpOptimizer {
 public:
  MlpOptimizer(const kernels::KernelTable& table, const MlpOptions& options, std::size_t parameters)
      : table_(&table),
        options_(options),
        rate_(options.learning_rate_init),
        first_(parameters),
        second_(options.solver == MlpSolver::adam ? parameters : 0) {}

  MlpOptimizer(const MlpOptimizer& other)
      : table_(other.table_),
        options_(other.options_),
        rate_(other.rate_),
        step_(other.step_),
        first_(other.first_.size()),
        second_(other.second_.size()) {
    std::copy_n(other.first_.data(), first_.size(), first_.data());
    std::copy_n(other.second_.data(), second_.size(), second_.data());
  }
  MlpOptimizer(MlpOptimizer&&) noexcept = default;
  MlpOptimizer& operator=(MlpOptimizer&&) noexcept = default;

  void begin_step() {
    if (options_.solver != MlpSolver::adam) return;
    ++step_;
    const double t = static_cast<double>(step_);
    rate_ = options_.learning_rate_init * std::sqrt(1 - std::pow(options_.beta_2, t)) /
            (1 - std::pow(options_.beta_1, t));
  }

  /// One step along (gradient + decay·weights)·scale for `count` parameters from `offset`, `weights` being
  /// where they start. Returns Σ weights² from before.
  double update(T* weights, std::size_t offset, std::size_t count, const T* gradient, T decay, T scale) {
    if (options_.solver == MlpSolver::sgd) return sgd(weights, offset, count, gradient, decay, scale);
    return adam<T>(*table_, {.weights = weights,
                             .gradient = gradient,
                             .first_moment = first_.data() + offset,
                             .second_moment = second_.data() + offset,
                             .count = count,
                             .decay = decay,
                             .gradient_scale = scale,
                             .beta_1 = static_cast<T>(options_.beta_1),
                             .beta_2 = static_cast<T>(options_.beta_2),
                             .learning_rate = static_cast<T>(rate_),
                             .epsilon = static_cast<T>(options_.epsilon),
                             .rest_1 = static_cast<T>(1 - options_.beta_1),
                             .rest_2 = static_cast<T>(1 - options_.beta_2)});
  }

  /// After an epoch; `samples` have been trained on in all.
  void end_epoch(std::size_t samples) {
    if (options_.solver == MlpSolver::sgd && options_.learning_rate == MlpLearningRate::invscaling)
      rate_ = options_.learning_rate_init / std::pow(static_cast<double>(samples) + 1, options_.power_t);
  }

  /// Called when training no longer improves: whether to stop. The adaptive schedule first divides its rate
  /// by 5 until it has fallen to 1e-6.
  bool stop() {
    if (options_.solver != MlpSolver::sgd || options_.learning_rate != MlpLearningRate::adaptive) return true;
    if (rate_ <= 1e-6) return true;
    rate_ /= 5;
    return false;
  }

 private:
  double sgd(T* weights, std::size_t offset, std::size_t count, const T* gradient, T decay, T scale) {
    const T momentum = static_cast<T>(options_.momentum), rate = static_cast<T>(rate_);
    T* velocity = first_.data() + offset;
    double squares = 0;
    for (std::size_t i = 0; i < count; ++i) {
      squares += static_cast<double>(weights[i]) * static_cast<double>(weights[i]);
      const T step = rate * ((gradient[i] + decay * weights[i]) * scale);
      velocity[i] = momentum * velocity[i] - step;
      weights[i] += options_.nesterovs_momentum ? momentum * velocity[i] - step : velocity[i];
    }
    return squares;
  }

  const kernels::KernelTable* table_;
  MlpOptions options_;
  double rate_;
  std::size_t step_ = 0;
  AlignedBuffer<T> first_, second_;  ///< Adam's moments; the first is SGD's velocity
};

}  // namespace pantanal::ml
