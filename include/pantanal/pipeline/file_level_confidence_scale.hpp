// Post-processing, step 2: a window's predictions times the file's confidence in the class.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/pipeline/matrix.hpp"

namespace pantanal::pipeline {

/// x · mean of the `top_k` largest values of the class in the file (all windows, if there are fewer), for
/// `preds` [files·n_windows, C]. Probabilities p near its file's largest so become about p². Errors: NaN or
/// infinity, no whole files, top_k of 0.
inline Result<Scores> file_level_confidence_scale(Scores preds, std::size_t n_windows = n_windows_per_file,
                                                  std::size_t top_k = 2) {
  constexpr const char* where = "file_level_confidence_scale";
  PANTANAL_TRY_STATUS(detail::check_files(where, preds, n_windows));
  if (top_k == 0) return Error{ErrorCode::invalid_argument, where, "top_k 0", "1 or more"};
  const std::size_t count = std::min(top_k, n_windows);
  std::vector<float> values(n_windows);
  for (std::size_t first = 0; first < preds.rows; first += n_windows)
    for (std::size_t c = 0; c < preds.columns; ++c) {
      for (std::size_t i = 0; i < n_windows; ++i) values[i] = preds(first + i, c);
      std::ranges::sort(values, std::greater<>());
      double sum = 0;
      for (std::size_t i = 0; i < count; ++i) sum += double{values[i]};
      const auto mean = static_cast<float>(sum / static_cast<double>(count));
      for (std::size_t i = 0; i < n_windows; ++i) preds(first + i, c) *= mean;
    }
  return detail::finite_result(where, std::move(preds));
}

}  // namespace pantanal::pipeline
