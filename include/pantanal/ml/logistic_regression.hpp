// LogisticRegression: two classes, L2 penalty, the objective of LIBLINEAR.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/ml/cholesky.hpp"
#include "pantanal/ml/estimator_state.hpp"
#include "pantanal/ml/gemm.hpp"
#include "pantanal/ml/matrix.hpp"
#include "pantanal/ml/splits.hpp"

namespace pantanal::ml {

struct LogisticRegressionOptions {
  double C = 1.0;  ///< inverse strength of the penalty
  bool fit_intercept = true;
  double intercept_scaling = 1.0;
  bool balanced = false;  ///< class_weight="balanced": samples/(2·samples of the class)
  std::size_t max_iter = 100;
  std::size_t threads = 1;  ///< the result does not depend on it
};

/// scikit-learn 1.9's LogisticRegression(solver="liblinear", penalty="l2"): minimises
/// ½·‖w‖² + C·Σ_i weight_i·ln(1 + e^(-y_i·w·x_i)), the intercept being the weight of a constant feature
/// `intercept_scaling` and so penalised too. Always in double, as LIBLINEAR is.
///
/// Difference: solved to rounding, where LIBLINEAR stops at `tol`: the optimum that it approaches.
/// Source: Fan et al. 2008, "LIBLINEAR: A library for large linear classification".
class LogisticRegression {
 public:
  explicit LogisticRegression(LogisticRegressionOptions options = {}) : options_(options) {}

  /// Errors: values that are not finite, lengths that differ, other than two classes.
  Status fit(MatrixView<double> x, std::span<const std::int64_t> y,
             std::span<const double> sample_weight = {}) {
    PANTANAL_TRY_STATUS(check_problem(x, y, sample_weight));
    const detail::Codes codes = detail::encode(y);
    if (codes.values.size() != 2)
      return Error{ErrorCode::invalid_argument, "LogisticRegression: y",
                   std::to_string(codes.values.size()) + " classes", "2"};
    Problem problem(x, options_.fit_intercept, options_.intercept_scaling);
    for (std::size_t i = 0; i < y.size(); ++i) {
      const std::size_t code = codes.codes[i];
      const double balance =
          options_.balanced ? static_cast<double>(y.size()) / (2.0 * static_cast<double>(codes.counts[code]))
                            : 1.0;
      problem.sign.push_back(code == 1 ? 1.0 : -1.0);
      problem.cost.push_back(options_.C * balance * (sample_weight.empty() ? 1.0 : sample_weight[i]));
    }
    PANTANAL_TRY(std::vector<double> w, minimize(problem));
    classes_ = codes.values;
    intercept_ = options_.fit_intercept ? w.back() * options_.intercept_scaling : 0.0;
    w.resize(x.columns);
    coef_ = std::move(w);
    return {};
  }

  /// x·coef + intercept, positive for the second class: [samples].
  Result<std::vector<double>> decision_function(MatrixView<double> x) const {
    PANTANAL_TRY_STATUS(check_features(x, coef_.size(), "LogisticRegression"));
    std::vector<double> scores(x.rows, intercept_);
    for (std::size_t r = 0; r < x.rows; ++r)
      for (std::size_t c = 0; c < x.columns; ++c) scores[r] += x(r, c) * coef_[c];
    PANTANAL_TRY_STATUS(check_finite(std::span<const double>(scores), "decision_function"));
    return scores;
  }

  /// [samples, 2].
  Result<Matrix<double>> predict_proba(MatrixView<double> x) const {
    PANTANAL_TRY(const std::vector<double> scores, decision_function(x));
    Matrix<double> p(x.rows, 2);
    for (std::size_t r = 0; r < x.rows; ++r) {
      p(r, 1) = sigmoid(scores[r]);
      p(r, 0) = 1 - p(r, 1);
    }
    return p;
  }

  Result<std::vector<std::int64_t>> predict(MatrixView<double> x) const {
    PANTANAL_TRY(const std::vector<double> scores, decision_function(x));
    std::vector<std::int64_t> labels;
    for (const double score : scores) labels.push_back(classes_[score > 0 ? 1 : 0]);
    return labels;
  }

  const LogisticRegressionOptions& options() const { return options_; }
  const std::vector<double>& coef() const { return coef_; }
  double intercept() const { return intercept_; }
  const std::vector<std::int64_t>& classes() const { return classes_; }
  std::size_t n_iter() const { return n_iter_; }
  bool converged() const { return converged_; }

  Result<EstimatorState> state() const {
    if (coef_.empty())
      return Error{ErrorCode::invalid_argument, "LogisticRegression", "an estimator that is not fitted",
                   "fit() first"};
    EstimatorState state{.estimator = "LogisticRegression"};
    state.add("coef_", coef_);
    state.add("intercept_", std::vector<double>{intercept_});
    state.add("classes_", classes_);
    return state;
  }

  static Result<LogisticRegression> from_state(const EstimatorState& state) {
    PANTANAL_TRY_STATUS(check_estimator(state, "LogisticRegression"));
    LogisticRegression fitted;
    PANTANAL_TRY(fitted.coef_, state.values<double>("coef_"));
    PANTANAL_TRY(const std::vector<double> intercept, state.values<double>("intercept_"));
    PANTANAL_TRY(fitted.classes_, state.values<std::int64_t>("classes_"));
    if (fitted.coef_.empty() || intercept.size() != 1 || fitted.classes_.size() != 2)
      return Error{ErrorCode::mismatch, "LogisticRegression", "arrays of other lengths",
                   "coef_ [features], intercept_ [1], classes_ [2]"};
    fitted.intercept_ = intercept[0];
    return fitted;
  }

 private:
  /// Samples with the constant feature, their signs ±1 and costs.
  struct Problem {
    Matrix<double> x;
    std::vector<double> sign, cost;

    Problem(MatrixView<double> source, bool intercept, double scaling)
        : x(source.rows, source.columns + (intercept ? 1 : 0)) {
      for (std::size_t r = 0; r < source.rows; ++r) {
        std::copy_n(source.row(r), source.columns, x.row(r));
        if (intercept) x(r, source.columns) = scaling;
      }
    }
  };

  /// Value, gradient and the sigmoid's slopes (the weights of the Hessian) at w.
  struct Point {
    std::vector<double> w, gradient, slope;
    double value = 0;
  };

  static double sigmoid(double z) {
    return z >= 0 ? 1 / (1 + std::exp(-z)) : std::exp(z) / (1 + std::exp(z));
  }

  static Point evaluate(const Problem& problem, std::vector<double> w) {
    const Matrix<double>& x = problem.x;
    Point p{std::move(w), {}, std::vector<double>(x.rows), 0};
    p.gradient = p.w;
    for (const double v : p.w) p.value += 0.5 * v * v;
    for (std::size_t r = 0; r < x.rows; ++r) {
      double margin = 0;
      for (std::size_t c = 0; c < x.columns; ++c) margin += x(r, c) * p.w[c];
      margin *= problem.sign[r];
      p.value += problem.cost[r] * (std::max(-margin, 0.0) + std::log1p(std::exp(-std::abs(margin))));
      const double wrong = sigmoid(-margin);
      p.slope[r] = problem.cost[r] * wrong * (1 - wrong);
      const double pull = -problem.cost[r] * wrong * problem.sign[r];
      for (std::size_t c = 0; c < x.columns; ++c) p.gradient[c] += pull * x(r, c);
    }
    return p;
  }

  /// (I + Xᵀ·diag(slope)·X)⁻¹·gradient, through the smaller of the two Gram matrices of √slope·X.
  Result<std::vector<double>> newton_step(const Problem& problem, const Point& p) const {
    Matrix<double> scaled = problem.x;
    for (std::size_t r = 0; r < scaled.rows; ++r)
      for (std::size_t c = 0; c < scaled.columns; ++c) scaled(r, c) *= std::sqrt(p.slope[r]);
    const bool wide = scaled.rows < scaled.columns;
    const Factor<double> s = wide ? factor(scaled) : factor(scaled).transposed();
    Matrix<double> system = gram(best_kernels(), s, options_.threads);
    for (std::size_t i = 0; i < system.rows; ++i) system(i, i) += 1;
    PANTANAL_TRY_STATUS(cholesky_factor(system));
    if (!wide) return cholesky_solve(system, p.gradient);
    // Woodbury: (I + SᵀS)⁻¹·g = g - Sᵀ·(I + SSᵀ)⁻¹·S·g
    std::vector<double> projected(scaled.rows), step = p.gradient;
    for (std::size_t r = 0; r < scaled.rows; ++r)
      for (std::size_t c = 0; c < scaled.columns; ++c) projected[r] += scaled(r, c) * p.gradient[c];
    projected = cholesky_solve(system, std::move(projected));
    for (std::size_t r = 0; r < scaled.rows; ++r)
      for (std::size_t c = 0; c < scaled.columns; ++c) step[c] -= scaled(r, c) * projected[r];
    return step;
  }

  /// Newton's method with halved steps. The objective is strictly convex, so its minimum is the only one.
  Result<std::vector<double>> minimize(const Problem& problem) {
    Point p = evaluate(problem, std::vector<double>(problem.x.columns));
    n_iter_ = 0;
    converged_ = false;
    while (n_iter_ < options_.max_iter && !converged_) {
      ++n_iter_;
      PANTANAL_TRY(const std::vector<double> step, newton_step(problem, p));
      double slope = 0;
      for (std::size_t i = 0; i < step.size(); ++i) slope += step[i] * p.gradient[i];
      double length = 1;
      Point next;
      for (int halving = 0; halving < 40; ++halving, length /= 2) {
        std::vector<double> w = p.w;
        for (std::size_t i = 0; i < w.size(); ++i) w[i] -= length * step[i];
        next = evaluate(problem, std::move(w));
        if (next.value <= p.value - 1e-4 * length * slope) break;
      }
      converged_ = slope <= 1e-20 + 1e-14 * std::abs(p.value);  // twice what the step could still gain
      if (!std::isfinite(next.value))
        return Error{ErrorCode::invalid_argument, "LogisticRegression", "an objective that is not finite",
                     "smaller or scaled X"};
      if (next.value <= p.value) p = std::move(next);
    }
    return std::move(p.w);
  }

  Status check_problem(MatrixView<double> x, std::span<const std::int64_t> y,
                       std::span<const double> sample_weight) const {
    PANTANAL_TRY_STATUS(check_matrix(x));
    PANTANAL_TRY_STATUS(check_length(y.size(), x.rows, "y"));
    PANTANAL_TRY_STATUS(check_weights(sample_weight, x.rows));
    const auto refuse = [](const char* where, double found) {
      return Error{ErrorCode::invalid_argument, where, std::to_string(found), "a finite number above 0"};
    };
    if (!(options_.C > 0 && std::isfinite(options_.C))) return refuse("C", options_.C);
    if (options_.fit_intercept &&
        !(options_.intercept_scaling > 0 && std::isfinite(options_.intercept_scaling)))
      return refuse("intercept_scaling", options_.intercept_scaling);
    if (options_.max_iter == 0) return refuse("max_iter", 0);
    return {};
  }

  LogisticRegressionOptions options_;
  std::vector<double> coef_;
  double intercept_ = 0;
  std::vector<std::int64_t> classes_;
  std::size_t n_iter_ = 0;
  bool converged_ = false;
};

}  // namespace pantanal::ml
