// F1 of binary decisions, and the threshold of scores that maximises it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "pantanal/core/result.hpp"
#include "pantanal/ml/matrix.hpp"

namespace pantanal::ml {

/// Weighted counts of decisions.
struct DecisionCounts {
  double true_positives = 0, false_positives = 0, false_negatives = 0;

  void add(bool truth, bool decision, double weight = 1) {
    if (truth && decision) true_positives += weight;
    if (!truth && decision) false_positives += weight;
    if (truth && !decision) false_negatives += weight;
  }
  /// 2·TP/(2·TP + FP + FN); 0 where that is 0/0, scikit-learn's zero_division="warn" without the warning.
  double f1() const {
    const double both = 2 * true_positives + false_positives + false_negatives;
    return both > 0 ? 2 * true_positives / both : 0.0;
  }
};

/// F1 of the positive class.
inline Result<double> f1_score(std::span<const std::uint8_t> truth, std::span<const std::uint8_t> decisions,
                               std::span<const double> sample_weight = {}) {
  PANTANAL_TRY_STATUS(check_length(decisions.size(), truth.size(), "y_pred"));
  PANTANAL_TRY_STATUS(check_weights(sample_weight, truth.size()));
  DecisionCounts counts;
  for (std::size_t i = 0; i < truth.size(); ++i)
    counts.add(truth[i] != 0, decisions[i] != 0, sample_weight.empty() ? 1.0 : sample_weight[i]);
  return counts.f1();
}

struct Threshold {
  double value = 0, f1 = 0;
};

/// The first of `thresholds` with the largest F1 of `scores` above it (`inclusive`: or equal to it). Scores
/// and thresholds are compared in T.
template <Real T>
Result<Threshold> best_f1_threshold(std::span<const std::uint8_t> truth, std::span<const T> scores,
                                    std::span<const double> thresholds, bool inclusive = false) {
  PANTANAL_TRY_STATUS(check_length(scores.size(), truth.size(), "y_score"));
  PANTANAL_TRY_STATUS(check_finite(scores, "y_score"));
  PANTANAL_TRY_STATUS(check_finite(thresholds, "thresholds"));
  if (thresholds.empty()) return Error{ErrorCode::invalid_argument, "thresholds", "none", "at least one"};
  Threshold best{thresholds[0], -1};
  for (const double threshold : thresholds) {
    const T t = static_cast<T>(threshold);
    DecisionCounts counts;
    for (std::size_t i = 0; i < truth.size(); ++i)
      counts.add(truth[i] != 0, inclusive ? scores[i] >= t : scores[i] > t);
    if (counts.f1() > best.f1) best = {threshold, counts.f1()};
  }
  return best;
}

}  // namespace pantanal::ml
