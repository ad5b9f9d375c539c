// MLPClassifier: a multi-layer perceptron that draws, trains and stops as scikit-learn's does.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <numeric>
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
/// Differences: rows that occur repeatedly in a batch are computed once and weighted; there is no solver
/// "lbfgs". A file does not hold the optimizer's moments: partial_fit() after loading begins with new ones.
/// Where a ReLU's input or a validation score is within rounding of a tie, training may take another turn;
/// from there on curves drift apart slowly.
template <Real T>
class MlpClassifier {
 public:
  explicit MlpClassifier(MlpOptions options = {}) : options_(std::move(options)) {}

  /// Labels of two classes are one logistic output, of more a softmax. With warm_start, a fit after the first
  /// goes on from its parameters, with a new optimizer; its classes must be the same. Errors: options out of
  /// range, X not finite, lengths that differ, a class too rare to be split for early stopping.
  Status fit(MatrixView<T> x, std::span<const std::int64_t> y, std::span<const T> sample_weight = {}) {
    PANTANAL_TRY_STATUS(check_length(y.size(), x.rows, "y"));
    const std::vector<std::int64_t> classes = detail::encode(y).values;
    const bool resume = options_.warm_start && features() > 0;
    if (resume && (multilabel_ || classes != classes_))
      return Error{ErrorCode::invalid_argument, "MLPClassifier: y", "other classes than in the last fit",
                   "the same ones, for warm_start"};
    PANTANAL_TRY(const Matrix<std::uint8_t> targets, encode_targets(y, classes));
    PANTANAL_TRY_STATUS(train(x, targets, output_of(classes), sample_weight, resume, false));
    classes_ = classes;
    multilabel_ = false;
    return {};
  }

  /// One epoch from where the last call ended, optimizer included. `classes`: all that there will be, in
  /// rising order; the first call needs it, later ones may leave it out. Errors: as fit(); early_stopping; a
  /// label that is not among the classes.
  Status partial_fit(MatrixView<T> x, std::span<const std::int64_t> y,
                     std::span<const std::int64_t> classes = {}, std::span<const T> sample_weight = {}) {
    const bool resume = features() > 0;
    if (options_.early_stopping)
      return Error{ErrorCode::invalid_argument, "MLPClassifier.partial_fit", "early_stopping",
                   "none: there is no validation within one epoch"};
    if (!resume && classes.empty())
      return Error{ErrorCode::invalid_argument, "MLPClassifier.partial_fit: classes", "none",
                   "all classes, in the first call"};
    const std::vector<std::int64_t> all =
        classes.empty() ? classes_ : std::vector<std::int64_t>(classes.begin(), classes.end());
    if (resume && (multilabel_ || all != classes_))
      return Error{ErrorCode::invalid_argument, "MLPClassifier.partial_fit: classes",
                   "other classes than before", "the same ones"};
    PANTANAL_TRY_STATUS(check_length(y.size(), x.rows, "y"));
    PANTANAL_TRY(const Matrix<std::uint8_t> targets, encode_targets(y, all));
    PANTANAL_TRY_STATUS(train(x, targets, output_of(all), sample_weight, resume, true));
    classes_ = all;
    multilabel_ = false;
    return {};
  }

  /// Indicators [samples, labels] of 0 and 1: one logistic output per label. warm_start as in fit().
  Status fit_multilabel(MatrixView<T> x, MatrixView<std::uint8_t> y, std::span<const T> sample_weight = {}) {
    PANTANAL_TRY_STATUS(check_length(y.rows, x.rows, "y"));
    const bool resume = options_.warm_start && features() > 0;
    if (resume && (!multilabel_ || y.columns != classes_.size()))
      return Error{ErrorCode::invalid_argument, "MLPClassifier: y", "other labels than in the last fit",
                   "the same ones, for warm_start"};
    Matrix<std::uint8_t> targets(y.rows, y.columns);
    std::transform(y.data, y.data + y.rows * y.columns, targets.values.begin(),
                   [](auto v) { return v != 0; });
    PANTANAL_TRY_STATUS(train(x, targets, MlpOutput::logistic, sample_weight, resume, false));
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
  /// For the next fit.
  void set_options(MlpOptions options) { options_ = std::move(options); }
  const MlpHistory& history() const { return progress_.history; }
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
                      {"samples_seen", progress_.history.samples_seen},
                      {"layers", network_.layers().size()}};
    for (std::size_t i = 0; i < network_.layers().size(); ++i) {
      state.add("coefs_." + std::to_string(i), network_.coefs(i));
      state.add("intercepts_." + std::to_string(i), network_.intercepts(i));
    }
    state.add("classes_", classes_);
    state.add("loss_curve_", progress_.history.loss_curve);
    state.add("validation_scores_", progress_.history.validation_scores);
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
    PANTANAL_TRY(fitted.progress_.history.loss_curve, state.template values<double>("loss_curve_"));
    PANTANAL_TRY(fitted.progress_.history.validation_scores,
                 state.template values<double>("validation_scores_"));
    MlpHistory& history = fitted.progress_.history;
    if (state.settings.contains("samples_seen")) {
      PANTANAL_TRY(history.samples_seen, state.template setting<std::size_t>("samples_seen"));
    }
    for (const double loss : history.loss_curve) history.best_loss = std::min(history.best_loss, loss);
    for (const double score : history.validation_scores)
      history.best_validation_score = std::max(history.best_validation_score, score);
    history.iterations = history.loss_curve.size();
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
  static MlpOutput output_of(const std::vector<std::int64_t>& classes) {
    return classes.size() > 2 ? MlpOutput::softmax : MlpOutput::logistic;
  }

  /// An indicator per class, or one of the second class where there are no more than two.
  static Result<Matrix<std::uint8_t>> encode_targets(std::span<const std::int64_t> y,
                                                     const std::vector<std::int64_t>& classes) {
    const std::size_t outputs = classes.size() > 2 ? classes.size() : 1;
    Matrix<std::uint8_t> targets(y.size(), outputs);
    for (std::size_t i = 0; i < y.size(); ++i) {
      const auto found = std::lower_bound(classes.begin(), classes.end(), y[i]);
      if (found == classes.end() || *found != y[i])
        return Error{ErrorCode::invalid_argument, "MLPClassifier: y", "label " + std::to_string(y[i]),
                     "one of the classes, in rising order"};
      const auto code = static_cast<std::size_t>(found - classes.begin());
      if (outputs == 1) targets(i, 0) = code == 1;
      if (outputs > 1) targets(i, code) = 1;
    }
    return targets;
  }

  /// Trains the network that there is, if `resume`, or a new one. What was is left alone unless all goes
  /// well.
  Status train(MatrixView<T> x, const Matrix<std::uint8_t>& targets, MlpOutput output,
               std::span<const T> sample_weight, bool resume, bool once) {
    PANTANAL_TRY_STATUS(validate(options_));
    PANTANAL_TRY_STATUS(check_matrix(x));
    PANTANAL_TRY_STATUS(check_weights(sample_weight, x.rows));
    std::vector<std::size_t> sizes = {x.columns};
    sizes.insert(sizes.end(), options_.hidden_layer_sizes.begin(), options_.hidden_layer_sizes.end());
    sizes.push_back(targets.columns);
    RandomState random(options_.random_state);
    MlpNetwork<T> network(best_kernels(), sizes, options_.activation, output);
    MlpProgress<T> progress = resume ? MlpProgress<T>(progress_) : MlpProgress<T>();
    if (resume) {
      if (sizes != network_.sizes())
        return Error{ErrorCode::invalid_argument, "MLPClassifier",
                     "other features or layers than in the last fit", "the same ones, to go on from it"};
      std::copy_n(network_.parameters().data(), network_.parameters().size(), network.parameters().data());
    } else {
      network.initialize(random);
    }
    PANTANAL_TRY_STATUS(
        MlpTrainer<T>(network, options_, x, targets, sample_weight, progress).fit(random, once));
    progress_ = std::move(progress);
    network_ = std::move(network);
    return {};
  }

  MlpOptions options_;
  MlpNetwork<T> network_;
  MlpProgress<T> progress_;
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
