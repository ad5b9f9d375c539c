// StandardScaler: columns brought to mean 0 and variance 1, as scikit-learn's does.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/ml/estimator_state.hpp"
#include "pantanal/ml/matrix.hpp"

namespace pantanal::ml {

struct StandardScalerOptions {
  bool with_mean = true, with_std = true;
};

/// scikit-learn 1.9's StandardScaler: statistics in double whatever the input, columns indistinguishable from
/// constant ones scaled by 1. Difference: NaN is refused, where scikit-learn skips it.
class StandardScaler {
 public:
  explicit StandardScaler(StandardScalerOptions options = {}) : options_(options) {}

  /// Statistics of X, each sample counted `sample_weight` times if given.
  template <Real T>
  Status fit(MatrixView<T> x, std::span<const T> sample_weight = {}) {
    StandardScaler fresh(options_);
    PANTANAL_TRY_STATUS(fresh.partial_fit(x, sample_weight));
    *this = std::move(fresh);
    return {};
  }

  /// Statistics of X and of all samples since the last fit() or the beginning. Errors: another number of
  /// features than before.
  /// Source: Chan, Golub and LeVeque 1983, "Algorithms for computing the sample variance", equation 1.5b.
  template <Real T>
  Status partial_fit(MatrixView<T> x, std::span<const T> sample_weight = {}) {
    PANTANAL_TRY_STATUS(mean_.empty() ? check_matrix(x) : check_features(x, mean_.size(), "StandardScaler"));
    PANTANAL_TRY_STATUS(check_weights(sample_weight, x.rows));
    Moments all = moments(x, sample_weight);
    const double added = all.count, before = mean_.empty() ? 0.0 : n_samples_seen_, total = before + added;
    for (std::size_t c = 0; before > 0 && c < x.columns; ++c) {
      const double sum_before = mean_[c] * before, sum_added = all.mean[c] * added;
      const double apart = sum_before / (before / added) - sum_added;
      all.squares[c] += var_[c] * before + before / added / total * apart * apart;
      all.mean[c] = (sum_before + sum_added) / total;
    }
    std::vector<double> var(x.columns);
    for (std::size_t c = 0; c < x.columns; ++c) var[c] = all.squares[c] / total;
    PANTANAL_TRY_STATUS(check_finite(std::span<const double>(var), "StandardScaler.var_"));
    scale_.resize(x.columns);
    for (std::size_t c = 0; c < x.columns; ++c)
      scale_[c] = is_constant(var[c], all.mean[c], total) ? 1.0 : std::sqrt(var[c]);
    mean_ = std::move(all.mean);
    var_ = std::move(var);
    // scikit-learn counts samples, not weights, where it computes nothing.
    n_samples_seen_ = options_.with_mean || options_.with_std ? total : before + static_cast<double>(x.rows);
    return {};
  }

  /// (X - mean)/scale in X's own type.
  template <Real T>
  Result<Matrix<T>> transform(MatrixView<T> x) const {
    return apply(x, [this](T v, std::size_t c) {
      if (options_.with_mean) v -= static_cast<T>(mean_[c]);
      return options_.with_std ? v / static_cast<T>(scale_[c]) : v;
    });
  }

  /// X·scale + mean.
  template <Real T>
  Result<Matrix<T>> inverse_transform(MatrixView<T> x) const {
    return apply(x, [this](T v, std::size_t c) {
      if (options_.with_std) v *= static_cast<T>(scale_[c]);
      return options_.with_mean ? v + static_cast<T>(mean_[c]) : v;
    });
  }

  const StandardScalerOptions& options() const { return options_; }
  const std::vector<double>& mean() const { return mean_; }
  const std::vector<double>& var() const { return var_; }
  const std::vector<double>& scale() const { return scale_; }
  double n_samples_seen() const { return n_samples_seen_; }

  Result<EstimatorState> state() const {
    if (mean_.empty())
      return Error{ErrorCode::invalid_argument, "StandardScaler", "an estimator that is not fitted",
                   "fit() first"};
    EstimatorState state{.estimator = "StandardScaler"};
    state.settings = {{"with_mean", options_.with_mean},
                      {"with_std", options_.with_std},
                      {"n_samples_seen_", n_samples_seen_}};
    state.add("mean_", mean_);
    state.add("var_", var_);
    state.add("scale_", scale_);
    return state;
  }

  static Result<StandardScaler> from_state(const EstimatorState& state) {
    PANTANAL_TRY_STATUS(check_estimator(state, "StandardScaler"));
    StandardScaler fitted;
    PANTANAL_TRY(fitted.options_.with_mean, state.setting<bool>("with_mean"));
    PANTANAL_TRY(fitted.options_.with_std, state.setting<bool>("with_std"));
    PANTANAL_TRY(fitted.n_samples_seen_, state.setting<double>("n_samples_seen_"));
    PANTANAL_TRY(fitted.mean_, state.values<double>("mean_"));
    PANTANAL_TRY(fitted.var_, state.values<double>("var_"));
    PANTANAL_TRY(fitted.scale_, state.values<double>("scale_"));
    if (fitted.mean_.empty() || fitted.var_.size() != fitted.mean_.size() ||
        fitted.scale_.size() != fitted.mean_.size())
      return Error{ErrorCode::mismatch, "StandardScaler", "arrays of other lengths", "one entry per feature"};
    return fitted;
  }

 private:
  /// Of some samples: their weight, and per column the mean and the sum of squared distances from it.
  struct Moments {
    double count = 0;
    std::vector<double> mean, squares;
  };

  template <Real T>
  static Moments moments(MatrixView<T> x, std::span<const T> sample_weight) {
    const auto weight = [&](std::size_t r) {
      return sample_weight.empty() ? 1.0 : static_cast<double>(sample_weight[r]);
    };
    Moments m{0, std::vector<double>(x.columns), std::vector<double>(x.columns)};
    std::vector<double> error(x.columns);
    for (std::size_t r = 0; r < x.rows; ++r) {
      m.count += weight(r);
      for (std::size_t c = 0; c < x.columns; ++c) m.mean[c] += weight(r) * static_cast<double>(x(r, c));
    }
    for (double& mean : m.mean) mean /= m.count;
    for (std::size_t r = 0; r < x.rows; ++r)
      for (std::size_t c = 0; c < x.columns; ++c) {
        const double d = static_cast<double>(x(r, c)) - m.mean[c];
        error[c] += weight(r) * d;
        m.squares[c] += weight(r) * d * d;
      }
    // What rounding left in the mean, taken out.
    for (std::size_t c = 0; c < x.columns; ++c) m.squares[c] -= error[c] * error[c] / m.count;
    return m;
  }

  /// Whether a variance may be rounding alone. Source: Chan, Golub and LeVeque 1983, "Algorithms for
  /// computing the sample variance".
  static bool is_constant(double var, double mean, double n) {
    constexpr double eps = std::numeric_limits<double>::epsilon();
    const double rounding = n * mean * eps;
    return var <= n * eps * var + rounding * rounding;
  }

  template <Real T, class Function>
  Result<Matrix<T>> apply(MatrixView<T> x, Function function) const {
    PANTANAL_TRY_STATUS(check_features(x, mean_.size(), "StandardScaler"));
    Matrix<T> y(x.rows, x.columns);
    for (std::size_t r = 0; r < x.rows; ++r)
      for (std::size_t c = 0; c < x.columns; ++c) y(r, c) = function(x(r, c), c);
    PANTANAL_TRY_STATUS(check_finite(std::span<const T>(y.values), "StandardScaler"));
    return y;
  }

  StandardScalerOptions options_;
  std::vector<double> mean_, var_, scale_;
  double n_samples_seen_ = 0;
};

}  // namespace pantanal::ml
