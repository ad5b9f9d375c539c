// Smoothing of scores along a file's windows: means for textures, maxima for events.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "pantanal/core/result.hpp"
#include "pantanal/pipeline/matrix.hpp"

namespace pantanal::pipeline {

namespace detail {

/// Replaces x by smooth(prev, x, next) in the columns `cols`, file by file; a file's first window is its own
/// predecessor and its last its own successor. All three are values from before.
template <class Smooth>
Result<Scores> smooth_columns(const char* where, Scores scores, std::span<const std::size_t> cols,
                              std::size_t n_windows, Smooth smooth) {
  PANTANAL_TRY_STATUS(check_files(where, scores, n_windows));
  for (const std::size_t c : cols) {
    if (c >= scores.columns)
      return Error{ErrorCode::invalid_argument, where, "column " + std::to_string(c),
                   "one of " + std::to_string(scores.columns)};
    for (std::size_t first = 0; first < scores.rows; first += n_windows) {
      float prev = scores(first, c);
      for (std::size_t i = first; i < first + n_windows; ++i) {
        const float x = scores(i, c), next = i + 1 < first + n_windows ? scores(i + 1, c) : x;
        scores(i, c) = smooth(prev, x, next);
        prev = x;
      }
    }
  }
  return finite_result(where, std::move(scores));
}

}  // namespace detail

/// (1−alpha)·x + alpha/2·(prev + next) in the columns `cols` of `scores` [files·n_windows, C]; edges
/// repeated. An alpha of 0 or less leaves all as it is. Errors: NaN or infinity, windows that are no whole
/// files, a column that is none.
inline Result<Scores> smooth_cols_fixed12(Scores scores, std::span<const std::size_t> cols,
                                          double alpha = 0.35, std::size_t n_windows = n_windows_per_file) {
  const auto keep = static_cast<float>(1 - alpha), take = static_cast<float>(0.5 * alpha);
  if (!(alpha > 0)) return scores;
  return detail::smooth_columns(
      "smooth_cols_fixed12", std::move(scores), cols, n_windows,
      [=](float prev, float x, float next) { return keep * x + take * (prev + next); });
}

/// (1−alpha)·x + alpha·max(prev, x, next) in the columns `cols`, otherwise as smooth_cols_fixed12: single
/// calls are spread, not flattened.
inline Result<Scores> smooth_events_fixed12(Scores scores, std::span<const std::size_t> cols,
                                            double alpha = 0.15, std::size_t n_windows = n_windows_per_file) {
  const auto keep = static_cast<float>(1 - alpha), take = static_cast<float>(alpha);
  if (!(alpha > 0)) return scores;
  return detail::smooth_columns("smooth_events_fixed12", std::move(scores), cols, n_windows,
                                [=](float prev, float x, float next) {
                                  return keep * x + take * std::max({prev, x, next});
                                });
}

}  // namespace pantanal::pipeline
