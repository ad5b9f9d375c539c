// postprocess: final logits to the probabilities of a submission, all steps in the notebook's order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/pipeline/delta_smooth.hpp"
#include "pantanal/pipeline/file_level_confidence_scale.hpp"
#include "pantanal/pipeline/matrix.hpp"
#include "pantanal/pipeline/per_class_thresholds.hpp"
#include "pantanal/pipeline/rank_aware_scaling.hpp"
#include "pantanal/pipeline/temperature_sigmoid.hpp"

namespace pantanal::pipeline {

/// Which smoothing step 4 is.
enum class DeltaSmoothing { off, adaptive, shift };

/// Switches of the steps; the printed run's values.
struct PostprocessOptions {
  std::size_t file_level_top_k = 2;  ///< 0: no file confidence
  bool rank_aware_scale = true;
  float rank_aware_power = 0.4f;
  DeltaSmoothing delta_smoothing = DeltaSmoothing::adaptive;
  float delta_shift_alpha = 0.20f;  ///< 0 or less: no smoothing
};

/// Told each step's name and result, in order.
using StepObserver = std::function<void(std::string_view, const Scores&)>;

namespace detail {

inline void tell(const StepObserver& observer, std::string_view step, const Scores& result) {
  if (observer) observer(step, result);
}

inline Scores clip_to_unit(Scores scores) {
  for (float& x : scores.values) x = std::clamp(x, 0.0f, 1.0f);
  return scores;
}

}  // namespace detail

/// Probabilities [N, C] of `logits` [files·12, C]: temperature and sigmoid, file confidence, rank-aware
/// scaling, delta smoothing, threshold sharpening, clipped to [0, 1] after each. `temperatures` and
/// `thresholds` [C]. Both scalings make probabilities smaller, strongly so where the file's largest is small:
/// that is kept. `observer` sees sigmoid, file_level, rank_aware and delta_smooth, as far as they are on, and
/// probabilities. Errors: those of the steps. No NaN comes out: none goes in.
inline Result<Scores> postprocess(Scores logits, std::span<const float> temperatures,
                                  std::span<const float> thresholds, const PostprocessOptions& options = {},
                                  const StepObserver& observer = {}) {
  constexpr std::size_t n_windows = n_windows_per_file;
  PANTANAL_TRY(Scores probs, temperature_sigmoid(std::move(logits), temperatures));
  detail::tell(observer, "sigmoid", probs);
  if (options.file_level_top_k > 0) {
    PANTANAL_TRY(probs, file_level_confidence_scale(std::move(probs), n_windows, options.file_level_top_k));
    probs = detail::clip_to_unit(std::move(probs));
    detail::tell(observer, "file_level", probs);
  }
  if (options.rank_aware_scale) {
    PANTANAL_TRY(probs, rank_aware_scaling(std::move(probs), n_windows, options.rank_aware_power));
    probs = detail::clip_to_unit(std::move(probs));
    detail::tell(observer, "rank_aware", probs);
  }
  const DeltaSmoothing smoothing =
      options.delta_shift_alpha > 0 ? options.delta_smoothing : DeltaSmoothing::off;
  if (smoothing == DeltaSmoothing::adaptive) {
    PANTANAL_TRY(probs, adaptive_delta_smooth(probs, n_windows, options.delta_shift_alpha));
  } else if (smoothing == DeltaSmoothing::shift) {
    PANTANAL_TRY(probs, delta_shift_smooth(std::move(probs), n_windows, double{options.delta_shift_alpha}));
  }
  probs = detail::clip_to_unit(std::move(probs));
  if (smoothing != DeltaSmoothing::off) detail::tell(observer, "delta_smooth", probs);
  PANTANAL_TRY(probs, apply_per_class_thresholds(std::move(probs), thresholds));
  detail::tell(observer, "probabilities", probs);
  return probs;
}

}  // namespace pantanal::pipeline
