// Blending: probes into base scores, ProtoSSM with the probes, the residual correction, and the weight of it
// all.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/pipeline/matrix.hpp"

namespace pantanal::pipeline {

/// A probe's probability as a logit, log(p + 1e-7) − log(1 − p + 1e-7), in float32: within ±16.2 for p in [0,
/// 1].
inline float probability_to_logit(float p) { return std::log(p + 1e-7f) - std::log(1.0f - p + 1e-7f); }

namespace detail {

inline Status check_weight(const char* where, double weight) {
  if (weight >= 0 && weight <= 1) return {};
  return Error{ErrorCode::invalid_argument, where, "weight " + std::to_string(weight), "0 to 1"};
}

}  // namespace detail

/// w·proto + (1−w)·mlp, [N, C]. Errors: sizes that differ, NaN or infinity, a weight outside [0, 1].
inline Result<Scores> blend_scores(const Scores& proto, Scores mlp, double weight = 0.5) {
  constexpr const char* where = "blend_scores";
  PANTANAL_TRY_STATUS(detail::check_weight(where, weight));
  PANTANAL_TRY_STATUS(detail::check_size(where, mlp, proto.rows, proto.columns));
  PANTANAL_TRY_STATUS(detail::check_finite(where, proto));
  PANTANAL_TRY_STATUS(detail::check_finite(where, mlp));
  const auto w = static_cast<float>(weight), rest = static_cast<float>(1 - weight);
  for (std::size_t i = 0; i < mlp.values.size(); ++i)
    mlp.values[i] = w * proto.values[i] + rest * mlp.values[i];
  return mlp;
}

/// Column `class_index` of `base` [N, C] as (1−alpha)·base + alpha·probe logit, from the probe's
/// probabilities [N] of the class. Errors: sizes that differ, a class that is none, probabilities outside [0,
/// 1] or NaN.
inline Result<Scores> blend_probe(Scores base, std::size_t class_index, std::span<const float> probabilities,
                                  double alpha = 0.45) {
  constexpr const char* where = "blend_probe";
  PANTANAL_TRY_STATUS(detail::check_weight(where, alpha));
  PANTANAL_TRY_STATUS(detail::check_size(where, base, probabilities.size(), base.columns));
  if (class_index >= base.columns)
    return Error{ErrorCode::invalid_argument, where, "class " + std::to_string(class_index),
                 "one of " + std::to_string(base.columns)};
  const auto weight = static_cast<float>(alpha), rest = static_cast<float>(1 - alpha);
  for (std::size_t i = 0; i < base.rows; ++i) {
    const float p = probabilities[i];
    if (!(p >= 0 && p <= 1))
      return Error{ErrorCode::invalid_argument, where, "probability " + std::to_string(p), "0 to 1"};
    float& score = base(i, class_index);
    score = rest * score + weight * probability_to_logit(p);
  }
  return base;
}

/// first pass + weight·correction, [N, C]: the correction was fitted to differences of probabilities and is
/// added to logits nevertheless. Errors: sizes that differ, NaN or infinity, overflow.
inline Result<Scores> add_correction(Scores first_pass, const Scores& correction, double weight = 0.35) {
  constexpr const char* where = "add_correction";
  PANTANAL_TRY_STATUS(detail::check_size(where, first_pass, correction.rows, correction.columns));
  PANTANAL_TRY_STATUS(detail::check_finite(where, first_pass));
  PANTANAL_TRY_STATUS(detail::check_finite(where, correction));
  const auto w = static_cast<float>(weight);
  for (std::size_t i = 0; i < first_pass.values.size(); ++i) first_pass.values[i] += w * correction.values[i];
  return detail::finite_result(where, std::move(first_pass));
}

struct WeightSearch {
  double best_weight = 0, best_score = 0;
  std::vector<std::pair<double, double>> results;  ///< every weight tried and its score
};

/// Tries w = 0, 0.05, … 1 and keeps the first that maximises metric(blend_scores(proto, mlp, w)), a function
/// of Scores such as the macro AUC against labels. As in the notebook, a metric that is not a number counts
/// as 0.
template <class Metric>
Result<WeightSearch> optimize_ensemble_weight(const Scores& proto, const Scores& mlp, Metric&& metric) {
  WeightSearch search;
  for (int step = 0; step <= 20; ++step) {
    const double weight = step == 20 ? 1.0 : step * 0.05;
    PANTANAL_TRY(const Scores blended, blend_scores(proto, mlp, weight));
    const double value = metric(blended), score = std::isnan(value) ? 0 : value;
    if (step == 0 || score > search.best_score) {
      search.best_weight = weight;
      search.best_score = score;
    }
    search.results.emplace_back(weight, score);
  }
  return search;
}

}  // namespace pantanal::pipeline
