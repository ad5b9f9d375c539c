// Post-processing, step 4: smoothing of probabilities along a file's windows, in two forms.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/pipeline/matrix.hpp"
#include "pantanal/pipeline/window_smoothing.hpp"

namespace pantanal::pipeline {

/// (1−a)·x + a·(prev + next)/2 in a file's inner windows, a = base_alpha·(1 − largest value of the window
/// over all classes), of `probs` [files·n_windows, C]; all from the values before. The first and last window
/// stay as they are. The less sure a window is of anything, the more its neighbours count. Errors: NaN or
/// infinity, no whole files.
inline Result<Scores> adaptive_delta_smooth(const Scores& probs, std::size_t n_windows = n_windows_per_file,
                                            float base_alpha = 0.20f) {
  constexpr const char* where = "adaptive_delta_smooth";
  PANTANAL_TRY_STATUS(detail::check_files(where, probs, n_windows));
  Scores smoothed = probs;
  for (std::size_t i = 0; i < probs.rows; ++i) {
    const std::size_t window = i % n_windows;
    if (window == 0 || window == n_windows - 1 || probs.columns == 0) continue;
    const float a = base_alpha * (1.0f - *std::ranges::max_element(probs.row(i)));
    for (std::size_t c = 0; c < probs.columns; ++c)
      smoothed(i, c) = (1.0f - a) * probs(i, c) + a * ((probs(i - 1, c) + probs(i + 1, c)) / 2.0f);
  }
  return detail::finite_result(where, std::move(smoothed));
}

/// (1−alpha)·x + alpha/2·(prev + next) in every window and class, edges repeated. The notebook defines it and
/// submits what adaptive_delta_smooth makes instead. Errors as above.
inline Result<Scores> delta_shift_smooth(Scores scores, std::size_t n_windows = n_windows_per_file,
                                         double alpha = 0.15) {
  std::vector<std::size_t> all(scores.columns);
  std::iota(all.begin(), all.end(), std::size_t{0});
  return smooth_cols_fixed12(std::move(scores), all, alpha, n_windows);
}

}  // namespace pantanal::pipeline
