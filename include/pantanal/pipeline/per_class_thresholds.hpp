// Post-processing, step 5: a decision threshold per class, found on labelled windows, moved to 0.5.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/pipeline/matrix.hpp"

namespace pantanal::pipeline {

/// The thresholds that the printed run's configuration tries.
inline constexpr float default_threshold_grid[] = {0.25f, 0.30f, 0.35f, 0.40f, 0.45f,
                                                   0.50f, 0.55f, 0.60f, 0.65f, 0.70f};

struct ClassThresholds {
  std::vector<float> thresholds;  ///< [C]; 0.5 where a class has no positives or no threshold scores above 0
  std::vector<double> f1;         ///< [C]; the F1 there, 0 where there is none
};

namespace detail {

/// F1 of `score > t` for class `c`, its denominator raised by 1e-8; 0 if nothing is predicted or to be found.
inline double f1_above(const Scores& scores, const MultiHot& y, std::size_t c, float t) {
  std::size_t hits = 0, predicted = 0, positives = 0;
  for (std::size_t i = 0; i < scores.rows; ++i) {
    const bool above = scores(i, c) > t, positive = y(i, c) != 0;
    hits += above && positive;
    predicted += above;
    positives += positive;
  }
  if (predicted == 0 || positives == 0) return 0;
  const double precision = static_cast<double>(hits) / static_cast<double>(predicted);
  const double recall = static_cast<double>(hits) / static_cast<double>(positives);
  return 2 * precision * recall / (precision + recall + 1e-8);
}

}  // namespace detail

/// For each class the first of `grid` at which the F1 of `oof_scores` > t against `y_true` (both [N, C]) is
/// largest. It takes whatever scores it is given: the notebook gives it logits in train mode, although the
/// thresholds are meant for probabilities. Errors: sizes that differ, NaN or infinity.
inline Result<ClassThresholds> optimize_per_class_thresholds(
    const Scores& oof_scores, const MultiHot& y_true, std::span<const float> grid = default_threshold_grid) {
  constexpr const char* where = "optimize_per_class_thresholds";
  PANTANAL_TRY_STATUS(detail::check_size(where, oof_scores, y_true.rows, y_true.columns));
  PANTANAL_TRY_STATUS(detail::check_finite(where, oof_scores));
  ClassThresholds best{std::vector<float>(y_true.columns, 0.5f), std::vector<double>(y_true.columns)};
  for (std::size_t c = 0; c < y_true.columns; ++c)
    for (const float t : grid)
      if (const double f1 = detail::f1_above(oof_scores, y_true, c, t); f1 > best.f1[c]) {
        best.f1[c] = f1;
        best.thresholds[c] = t;
      }
  return best;
}

/// Moves each class' threshold t to 0.5: above it 0.5 + 0.5·(x−t)/(1−t+1e-8), else 0.5·x/(t+1e-8), clipped to
/// [0, 1]. At t = 0.5 nothing changes, to the last bit. Errors: NaN or infinity, thresholds that are not C
/// numbers from 0 to 1.
inline Result<Scores> apply_per_class_thresholds(Scores scores, std::span<const float> thresholds) {
  constexpr const char* where = "apply_per_class_thresholds";
  PANTANAL_TRY_STATUS(detail::check_size(where, scores, scores.rows, thresholds.size()));
  PANTANAL_TRY_STATUS(detail::check_finite(where, scores));
  for (std::size_t c = 0; c < scores.columns; ++c) {
    const float t = thresholds[c];
    if (!(t >= 0 && t <= 1))
      return Error{ErrorCode::invalid_argument, where, "threshold " + std::to_string(t), "0 to 1"};
    // The guard against division by zero is lost in float32 but near it, which is what keeps 0.5 an identity.
    const auto above = static_cast<float>(1 - double{t} + 1e-8), below = static_cast<float>(double{t} + 1e-8);
    for (std::size_t i = 0; i < scores.rows; ++i) {
      float& x = scores(i, c);
      x = std::clamp(x > t ? 0.5f + 0.5f * (x - t) / above : 0.5f * x / below, 0.0f, 1.0f);
    }
  }
  return scores;
}

}  // namespace pantanal::pipeline
