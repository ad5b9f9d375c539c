// Metrics of scores against binary truth: ROC-AUC and average precision, as scikit-learn defines them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/ml/matrix.hpp"

namespace pantanal::ml {

/// Weight of the positives and negatives at and above each distinct score, highest first.
struct RankingCurve {
  std::vector<double> positives, negatives;
};

template <Real T>
Result<RankingCurve> ranking_curve(std::span<const std::uint8_t> truth, std::span<const T> scores,
                                   std::span<const double> sample_weight = {}) {
  PANTANAL_TRY_STATUS(check_length(scores.size(), truth.size(), "y_score"));
  PANTANAL_TRY_STATUS(check_finite(scores, "y_score"));
  PANTANAL_TRY_STATUS(check_weights(sample_weight, truth.size()));
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  RankingCurve curve;
  double positives = 0, negatives = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    const std::size_t i = order[k];
    (truth[i] ? positives : negatives) += sample_weight.empty() ? 1.0 : sample_weight[i];
    if (k + 1 < order.size() && scores[order[k + 1]] == scores[i]) continue;
    curve.positives.push_back(positives);
    curve.negatives.push_back(negatives);
  }
  return curve;
}

/// Area under the ROC curve: the weighted share of (positive, negative) pairs in the right order, ties half.
/// Errors: one class only, for which scikit-learn 1.9 warns and returns NaN.
template <Real T>
Result<double> roc_auc(std::span<const std::uint8_t> truth, std::span<const T> scores,
                       std::span<const double> sample_weight = {}) {
  PANTANAL_TRY(const RankingCurve curve, ranking_curve(truth, scores, sample_weight));
  if (curve.positives.empty() || curve.positives.back() <= 0 || curve.negatives.back() <= 0)
    return Error{ErrorCode::invalid_argument, "roc_auc_score: y_true", "one class", "two classes"};
  double area = 0, positives = 0, negatives = 0;
  for (std::size_t k = 0; k < curve.positives.size(); ++k) {
    area += (curve.negatives[k] - negatives) * (curve.positives[k] + positives) / 2;
    positives = curve.positives[k];
    negatives = curve.negatives[k];
  }
  return area / (positives * negatives);
}

/// Σ_k (recall_k - recall_{k-1})·precision_k over falling thresholds; 0 without positives, as in
/// scikit-learn.
template <Real T>
Result<double> average_precision(std::span<const std::uint8_t> truth, std::span<const T> scores,
                                 std::span<const double> sample_weight = {}) {
  PANTANAL_TRY(const RankingCurve curve, ranking_curve(truth, scores, sample_weight));
  if (curve.positives.empty())
    return Error{ErrorCode::invalid_argument, "average_precision_score", "no samples", "at least 1"};
  const double all = curve.positives.back();
  double sum = 0, before = 0;
  for (std::size_t k = 0; k < curve.positives.size() && all > 0; ++k) {
    const double here = curve.positives[k];
    if (here > before) sum += (here - before) / all * (here / (here + curve.negatives[k]));
    before = here;
  }
  return sum;
}

/// Mean ROC-AUC over the classes (columns) that have a positive and a negative: [samples, classes]. Errors:
/// no such class.
template <Real T>
Result<double> macro_auc_skip_empty(MatrixView<std::uint8_t> truth, MatrixView<T> scores) {
  if (truth.rows != scores.rows || truth.columns != scores.columns)
    return Error{ErrorCode::invalid_argument, "y_score",
                 "[" + std::to_string(scores.rows) + ", " + std::to_string(scores.columns) + "]",
                 "[" + std::to_string(truth.rows) + ", " + std::to_string(truth.columns) + "], as y_true"};
  double sum = 0;
  std::size_t classes = 0;
  std::vector<std::uint8_t> t(truth.rows);
  std::vector<T> s(truth.rows);
  for (std::size_t c = 0; c < truth.columns; ++c) {
    std::size_t positives = 0;
    for (std::size_t r = 0; r < truth.rows; ++r) {
      t[r] = truth(r, c) != 0;
      s[r] = scores(r, c);
      positives += t[r];
    }
    if (positives == 0 || positives == truth.rows) continue;
    PANTANAL_TRY(const double auc, roc_auc<T>(t, s));
    sum += auc;
    ++classes;
  }
  if (classes == 0)
    return Error{ErrorCode::invalid_argument, "macro_auc_skip_empty: y_true", "no class of both kinds",
                 "a class with positives and negatives"};
  return sum / static_cast<double>(classes);
}

/// The same of labels as training has them, above ½ is positive: [rows, classes]. 0 where no class has rows
/// of both kinds or a score is not finite, so that nothing counts as an improvement.
inline double macro_auc_or_zero(std::span<const float> labels, std::span<const float> scores,
                                std::size_t classes) {
  std::vector<std::uint8_t> truth;
  for (const float label : labels) truth.push_back(label > 0.5f);
  const Result<double> auc = macro_auc_skip_empty<float>({truth.data(), truth.size() / classes, classes},
                                                         {scores.data(), scores.size() / classes, classes});
  return auc ? *auc : 0.0;
}

}  // namespace pantanal::ml
