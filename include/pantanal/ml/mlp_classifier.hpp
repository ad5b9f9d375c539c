// MLPClassifier: a multi-layer perceptron that draws, trains and stops as scikit-learn's does.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/parallel.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/ml/estimator_state.hpp"
#include "pantanal/ml/matrix.hpp"
#include "pantanal/ml/mlp_network.hpp"
#include "pantanal/ml/mlp_options.hpp"
#include "pantanal/ml/mlp_trainer.hpp"
#include "pantanal/ml/random_state.hpp"
#include "pantanal/ml/splits.hpp"

namespace pantanal::ml {

/// scikit-learn 1.9's MLPClassifier: the same random draws for the same random_state, losses and
/// probabilities equal but for the order of floating-point sums. T is the type of the input and of all
/// arithmetic.
///
/// Differences: rows that occur repeatedly in a batch are computed once and weighted; solver "lbfgs",
/// warm_start and partial_fit do not exist. Where a ReLU's input or a validation score is within rounding of
/// a tie, training may take another turn; from there on curves drift apart slowly.
template <Real T>
class MlpClassifier {
 public:
  explicit MlpClassifier(MlpOptions options = {}) : options_(std::move(options)) {}

  /// Labels of two classes are one logistic output, of more a softmax. Errors: options out of range, X not
  /// finite, lengths that differ, a class too rare to be split for early stopping.
  Status fit(MatrixView<T> x, std::span<const std::int64_t> y, std::span<const T> sample_weight = {}) {
    PANTANAL_TRY_STATUS(check_length(y.size(), x.rows, "y"));
    const detail::Codes codes = detail::encode(y);
    const std::size_t outputs = codes.values.size() > 2 ? codes.values.size() : 1;
    Matrix<std::uint8_t> targets(y.size(), outputs);
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (outputs == 1) targets(i, 0) = codes.codes[i] == 1;
      if (outputs > 1) targets(i, codes.codes[i]) = 1;
    }
    PANTANAL_TRY_STATUS(
        train(x, targets, outputs > 1 ? MlpOutput::softmax : MlpOutput::logistic, sample_weight));
    classes_ = codes.values;
    multilabel_ = false;
    return {};
  }

  /// Indicators [samples, labels] of 0 and 1: one logistic output per label.
  Status fit_multilabel(MatrixView<T> x, MatrixView<std::uint8_t> y, std::span<const T> sample_weight = {}) {
    PANTANAL_TRY_STATUS(check_length(y.rows, x.rows, "y"));
    Matrix<std::uint8_t> targets(y.rows, y.columns);
    std::transform(y.data, y.data + y.rows * y.columns, targets.values.begin(),
                   [](auto v) { return v != 0; });
    PANTANAL_TRY_STATUS(train(x, targets, MlpOutput::logistic, sample_weight));
    classes_.resize(y.columns);
    std::iota(classes_.begin(), classes_.end(), std::int64_t{0});
    multilabel_ = true;
    return {};
  }

  /// [samples, classes], or [samples, labels] of a multilabel fit.
  Result<Matrix<T>> predict_proba(MatrixView<T> x) const {
    PANTANAL_TRY_STATUS(check_features(x, features(), "MLPClassifier"));
    Matrix<T> p = network_.predict(x);
    PANTANAL_TRY_STATUS(check_finite(std::span<const T>(p.values), "predict_proba"));
    if (p.columns > 1 || multilabel_) return p;
    Matrix<T> both(p.rows, 2);
    for (std::size_t r = 0; r < p.rows; ++r) {
      both(r, 0) = T{1} - p(r, 0);
      both(r, 1) = p(r, 0);
    }
    return both;
  }

  /// The likeliest class of each sample; not for a multilabel fit.
  Result<std::vector<std::int64_t>> predict(MatrixView<T> x) const {
    if (multilabel_)
      return Error{ErrorCode::invalid_argument, "MLPClassifier.predict", "a multilabel fit",
                   "predict_proba() and a threshold of 0.5"};
    PANTANAL_TRY(const Matrix<T> p, predict_proba(x));
    std::vector<std::int64_t> labels;
    for (std::size_t r = 0; r < p.rows; ++r) {
      const std::size_t best =
          p.columns == 2
              ? std::size_t{p(r, 1) > T{0.5}}
              : static_cast<std::size_t>(std::max_element(p.row(r), p.row(r) + p.columns) - p.row(r));
      labels.push_back(classes_[std::min(best, classes_.size() - 1)]);
    }
    return labels;
  }

  const MlpOptions& options() const { return options_; }
  const MlpHistory& history() const { return history_; }
  const MlpNetwork<T>& network() const { return network_; }
  const std::vector<std::int64_t>& classes() const { return classes_; }
  bool multilabel() const { return multilabel_; }
  /// Of the fit; 0 before it.
  std::size_t features() const { return network_.layers().empty() ? 0 : network_.layers()[0].fan_in; }

  /// Everything that predicting needs, and the loss curve.
  Result<EstimatorState> state() const {
    if (features() == 0)
      return Error{ErrorCode::invalid_argument, "MLPClassifier", "an estimator that is not fitted",
                   "fit() first"};
    EstimatorState state{.estimator = "MLPClassifier"};
    state.settings = {{"activation", static_cast<unsigned>(options_.activation)},
                      {"softmax", network_.output() == MlpOutput::softmax},
                      {"multilabel", multilabel_},
                      {"layers", network_.layers().size()}};
    for (std::size_t i = 0; i < network_.layers().size(); ++i) {
      state.add("coefs_." + std::to_string(i), network_.coefs(i));
      state.add("intercepts_." + std::to_string(i), network_.intercepts(i));
    }
    state.add("classes_", classes_);
    state.add("loss_curve_", history_.loss_curve);
    state.add("validation_scores_", history_.validation_scores);
    return state;
  }

  static Result<MlpClassifier> from_state(const EstimatorState& state) {
    PANTANAL_TRY_STATUS(check_estimator(state, "MLPClassifier"));
    PANTANAL_TRY(const unsigned activation, state.template setting<unsigned>("activation"));
    PANTANAL_TRY(const bool softmax, state.template setting<bool>("softmax"));
    PANTANAL_TRY(const std::size_t count, state.template setting<std::size_t>("layers"));
    MlpClassifier fitted;
    PANTANAL_TRY(fitted.multilabel_, state.template setting<bool>("multilabel"));
    PANTANAL_TRY(fitted.classes_, state.template values<std::int64_t>("classes_"));
    PANTANAL_TRY(fitted.history_.loss_curve, state.template values<double>("loss_curve_"));
    PANTANAL_TRY(fitted.history_.validation_scores, state.template values<double>("validation_scores_"));
    const auto refuse = [](std::string found) {
      return Error{ErrorCode::mismatch, "MLPClassifier", std::move(found), "layers that fit each other"};
    };
    if (activation > 3 || count < 1 || count > state.arrays.size()) return refuse("other settings");
    std::vector<std::size_t> sizes;
    std::vector<Matrix<T>> coefs;
    for (std::size_t i = 0; i < count; ++i) {
      PANTANAL_TRY(Matrix<T> w, state.template matrix<T>("coefs_." + std::to_string(i)));
      if (w.rows == 0 || w.columns == 0 || (i > 0 && w.rows != sizes.back()))
        return refuse("coefs_ of other shapes");
      if (i == 0) sizes.push_back(w.rows);
      sizes.push_back(w.columns);
      coefs.push_back(std::move(w));
    }
    const std::size_t outputs = sizes.back(), classes = fitted.classes_.size();
    if (classes == 0 || (fitted.multilabel_ || softmax ? outputs != classes : outputs != 1 || classes > 2))
      return refuse(std::to_string(classes) + " classes, " + std::to_string(outputs) + " outputs");
    fitted.options_.activation = static_cast<MlpActivation>(activation);
    fitted.options_.hidden_layer_sizes.assign(sizes.begin() + 1, sizes.end() - 1);
    fitted.network_ = MlpNetwork<T>(best_kernels(), sizes, fitted.options_.activation,
                                    softmax ? MlpOutput::softmax : MlpOutput::logistic);
    for (std::size_t i = 0; i < count; ++i) {
      PANTANAL_TRY(const std::vector<T> bias, state.template values<T>("intercepts_." + std::to_string(i)));
      if (bias.size() != coefs[i].columns) return refuse("intercepts_ of other lengths");
      fitted.network_.set_layer(i, coefs[i].values, bias);
    }
    return fitted;
  }

 private:
  Status train(MatrixView<T> x, const Matrix<std::uint8_t>& targets, MlpOutput output,
               std::span<const T> sample_weight) {
    PANTANAL_TRY_STATUS(validate(options_));
    PANTANAL_TRY_STATUS(check_matrix(x));
    PANTANAL_TRY_STATUS(check_weights(sample_weight, x.rows));
    std::vector<std::size_t> sizes = {x.columns};
    sizes.insert(sizes.end(), options_.hidden_layer_sizes.begin(), options_.hidden_layer_sizes.end());
    sizes.push_back(targets.columns);
    RandomState random(options_.random_state);
    MlpNetwork<T> network(best_kernels(), sizes, options_.activation, output);
    network.initialize(random);
    PANTANAL_TRY(history_, MlpTrainer<T>(network, options_, x, targets, sample_weight).fit(random));
    network_ = std::move(network);
    return {};
  }

  MlpOptions options_;
  MlpNetwork<T> network_;
  MlpHistory history_;
  std::vector<std::int64_t> classes_;
  bool multilabel_ = false;
};

/// One of many classifiers to be trained at once.
template <Real T>
struct MlpTask {
  MlpClassifier<T>* classifier = nullptr;
  MatrixView<T> x;
  std::span<const std::int64_t> y;
  std::span<const T> sample_weight = {};
};

/// Fits every task's classifier, each on one thread, `threads` at a time; the result does not depend on
/// `threads`. Every task gets its own status.
template <Real T>
std::vector<Status> fit_all(std::span<const MlpTask<T>> tasks, std::size_t threads) {
  std::vector<Status> statuses(tasks.size());
  std::atomic<std::size_t> next = 0;
  parallel_team(std::min(threads, tasks.size()), [&](const Team&) {
    for (std::size_t i = next++; i < tasks.size(); i = next++)
      statuses[i] = tasks[i].classifier->fit(tasks[i].x, tasks[i].y, tasks[i].sample_weight);
  });
  return statuses;
}

}  // namespace pantanal::ml
