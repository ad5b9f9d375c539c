// Post-processing, step 3: a window's predictions times a power of the file's largest.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

#include "pantanal/core/result.hpp"
#include "pantanal/pipeline/matrix.hpp"

namespace pantanal::pipeline {

/// x · (largest value of the class in the file)^power, for `scores` [files·n_windows, C]. Despite its name no
/// ranks are involved. Errors: NaN or infinity, negative scores (whose power is not a number), no whole
/// files.
inline Result<Scores> rank_aware_scaling(Scores scores, std::size_t n_windows = n_windows_per_file,
                                         float power = 0.4f) {
  constexpr const char* where = "rank_aware_scaling";
  PANTANAL_TRY_STATUS(detail::check_files(where, scores, n_windows));
  for (const float x : scores.values)
    if (x < 0) return Error{ErrorCode::invalid_argument, where, std::to_string(x), "probabilities"};
  for (std::size_t first = 0; first < scores.rows; first += n_windows)
    for (std::size_t c = 0; c < scores.columns; ++c) {
      float most = 0;
      for (std::size_t i = first; i < first + n_windows; ++i) most = std::max(most, scores(i, c));
      const float scale = std::pow(most, power);
      for (std::size_t i = first; i < first + n_windows; ++i) scores(i, c) *= scale;
    }
  return detail::finite_result(where, std::move(scores));
}

}  // namespace pantanal::pipeline
