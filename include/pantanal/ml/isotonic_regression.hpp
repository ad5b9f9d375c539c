// IsotonicRegression: the best monotone function of one variable, as scikit-learn fits and interpolates it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/ml/estimator_state.hpp"
#include "pantanal/ml/matrix.hpp"
#include "pantanal/ml/pool_adjacent_violators.hpp"

namespace pantanal::ml {

enum class OutOfBounds { nan, clip, raise };
enum class Monotone { increasing, decreasing, automatic };

struct IsotonicOptions {
  std::optional<double> y_min = {}, y_max = {};
  Monotone increasing = Monotone::increasing;
  OutOfBounds out_of_bounds = OutOfBounds::nan;  ///< the only estimator that gives NaN, and only if asked to
};

/// scikit-learn 1.9's IsotonicRegression: samples of weight 0 left out, X closer than the type's resolution
/// (1e-15; float: 1e-6) averaged, pooled in double, bounded, then linear interpolation between thresholds.
/// "auto" follows the sign of Spearman's rank correlation; a constant has none and counts as decreasing.
template <Real T>
class IsotonicRegression {
 public:
  explicit IsotonicRegression(IsotonicOptions options = {}) : options_(options) {}

  /// Errors: values that are not finite, lengths that differ, no sample, y_min above y_max.
  Status fit(std::span<const T> x, std::span<const T> y, std::span<const T> sample_weight = {}) {
    PANTANAL_TRY_STATUS(check_samples(x, y, sample_weight));
    increasing_ = options_.increasing == Monotone::automatic ? spearman(x, y) >= 0
                                                             : options_.increasing == Monotone::increasing;
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < x.size(); ++i)
      if (sample_weight.empty() || sample_weight[i] > 0) order.push_back(i);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return x[a] != x[b] ? x[a] < x[b] : y[a] < y[b]; });
    Points points = merge_equal(x, y, sample_weight, order);
    std::vector<double> level(points.y.begin(), points.y.end());
    const std::vector<double> weight(points.weight.begin(), points.weight.end());
    pool_adjacent_violators(level, weight, increasing_);
    for (std::size_t i = 0; i < level.size(); ++i) {
      T v = static_cast<T>(level[i]);
      if (options_.y_min) v = std::max(v, static_cast<T>(*options_.y_min));
      if (options_.y_max) v = std::min(v, static_cast<T>(*options_.y_max));
      points.y[i] = v;
    }
    keep_corners(points);
    return {};
  }

  /// The function's values at x. Errors: x out of bounds where they raise.
  Result<std::vector<T>> predict(std::span<const T> x) const {
    if (x_.empty())
      return Error{ErrorCode::invalid_argument, "IsotonicRegression", "an estimator that is not fitted",
                   "fit() first"};
    PANTANAL_TRY_STATUS(check_finite(x, "X"));
    std::vector<T> values;
    values.reserve(x.size());
    for (const T given : x) {
      const bool outside = (given < x_.front() || given > x_.back()) && x_.size() > 1;
      if (outside && options_.out_of_bounds == OutOfBounds::raise)
        return Error{ErrorCode::invalid_argument, "IsotonicRegression: X", std::to_string(given),
                     "from " + std::to_string(x_.front()) + " to " + std::to_string(x_.back())};
      values.push_back(outside && options_.out_of_bounds == OutOfBounds::nan
                           ? std::numeric_limits<T>::quiet_NaN()
                           : interpolate(std::clamp(given, x_.front(), x_.back())));
    }
    return values;
  }

  const IsotonicOptions& options() const { return options_; }
  const std::vector<T>& x_thresholds() const { return x_; }
  const std::vector<T>& y_thresholds() const { return y_; }
  bool increasing() const { return increasing_; }

  Result<EstimatorState> state() const {
    if (x_.empty())
      return Error{ErrorCode::invalid_argument, "IsotonicRegression", "an estimator that is not fitted",
                   "fit() first"};
    EstimatorState state{.estimator = "IsotonicRegression"};
    state.settings = {{"out_of_bounds", static_cast<unsigned>(options_.out_of_bounds)},
                      {"increasing_", increasing_}};
    state.add("X_thresholds_", x_);
    state.add("y_thresholds_", y_);
    return state;
  }

  static Result<IsotonicRegression> from_state(const EstimatorState& state) {
    PANTANAL_TRY_STATUS(check_estimator(state, "IsotonicRegression"));
    IsotonicRegression fitted;
    PANTANAL_TRY(const unsigned bounds, state.template setting<unsigned>("out_of_bounds"));
    PANTANAL_TRY(fitted.increasing_, state.template setting<bool>("increasing_"));
    PANTANAL_TRY(fitted.x_, state.template values<T>("X_thresholds_"));
    PANTANAL_TRY(fitted.y_, state.template values<T>("y_thresholds_"));
    if (bounds > 2 || fitted.x_.empty() || fitted.y_.size() != fitted.x_.size() ||
        std::adjacent_find(fitted.x_.begin(), fitted.x_.end(), std::greater_equal<>()) != fitted.x_.end())
      return Error{ErrorCode::mismatch, "IsotonicRegression", "other arrays or settings",
                   "rising X_thresholds_ and as many y_thresholds_"};
    fitted.options_.out_of_bounds = static_cast<OutOfBounds>(bounds);
    return fitted;
  }

 private:
  struct Points {
    std::vector<T> x, y, weight;
  };

  Status check_samples(std::span<const T> x, std::span<const T> y, std::span<const T> sample_weight) const {
    PANTANAL_TRY_STATUS(check_length(y.size(), x.size(), "y"));
    PANTANAL_TRY_STATUS(check_matrix(MatrixView<T>{x.data(), x.size(), 1}));
    PANTANAL_TRY_STATUS(check_finite(y, "y"));
    PANTANAL_TRY_STATUS(check_weights(sample_weight, x.size()));
    if (options_.y_min && options_.y_max && !(*options_.y_min <= *options_.y_max))
      return Error{ErrorCode::invalid_argument, "y_min", std::to_string(*options_.y_min),
                   "at most y_max, " + std::to_string(*options_.y_max)};
    return {};
  }

  /// One point per distinct x, the weighted mean of its y.
  static Points merge_equal(std::span<const T> x, std::span<const T> y, std::span<const T> sample_weight,
                            const std::vector<std::size_t>& order) {
    constexpr T resolution = std::is_same_v<T, float> ? T(1e-6) : T(1e-15);
    Points points;
    for (const std::size_t i : order) {
      const T w = sample_weight.empty() ? T{1} : sample_weight[i];
      if (points.x.empty() || x[i] - points.x.back() >= resolution) {
        points.x.push_back(x[i]);
        points.y.push_back(0);
        points.weight.push_back(0);
      }
      points.y.back() += y[i] * w;
      points.weight.back() += w;
    }
    for (std::size_t i = 0; i < points.x.size(); ++i) points.y[i] /= points.weight[i];
    return points;
  }

  /// Drops points whose y equals both neighbours'.
  void keep_corners(const Points& points) {
    x_.clear();
    y_.clear();
    for (std::size_t i = 0; i < points.x.size(); ++i) {
      const bool inner = i > 0 && i + 1 < points.x.size();
      if (inner && points.y[i] == points.y[i - 1] && points.y[i] == points.y[i + 1]) continue;
      x_.push_back(points.x[i]);
      y_.push_back(points.y[i]);
    }
  }

  T interpolate(T x) const {
    if (x_.size() == 1) return y_[0];
    const auto above = std::lower_bound(x_.begin() + 1, x_.end() - 1, x);
    const std::size_t hi = static_cast<std::size_t>(above - x_.begin()), lo = hi - 1;
    const T slope = (y_[hi] - y_[lo]) / (x_[hi] - x_[lo]);
    return slope * (x - x_[lo]) + y_[lo];
  }

  IsotonicOptions options_;
  std::vector<T> x_, y_;
  bool increasing_ = true;
};

}  // namespace pantanal::ml
