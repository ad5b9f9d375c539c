// calibrate_and_optimize_thresholds: a decision threshold per class for calibrated file-level maxima.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/finite.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/pipeline/matrix.hpp"
#include "pantanal/pipeline/per_class_thresholds.hpp"

namespace pantanal::pipeline {

/// Positive files that a class needs; with fewer its threshold stays 0.5.
inline constexpr std::size_t min_positive_files = 3;

/// The largest value of each class in each file: [files·n_windows, C] to [files, C]. Error: no whole files.
template <class T>
Result<Matrix<T>> file_level_max(const Matrix<T>& windows, std::size_t n_windows = n_windows_per_file) {
  if (n_windows == 0 || windows.rows % n_windows != 0)
    return Error{ErrorCode::mismatch, "file_level_max", std::to_string(windows.rows) + " windows",
                 "whole files of " + std::to_string(n_windows) + " windows"};
  Matrix<T> files(windows.rows / n_windows, windows.columns);
  for (std::size_t i = 0; i < windows.rows; ++i)
    for (std::size_t c = 0; c < windows.columns; ++c) {
      T& most = files(i / n_windows, c);
      most = i % n_windows == 0 ? windows(i, c) : std::max(most, windows(i, c));
    }
  return files;
}

namespace detail {

/// F1 of `scores` >= t, each of its three denominators raised by 1e-8.
inline double f1_from(std::span<const float> scores, std::span<const std::uint8_t> y, float t) {
  double hits = 0, predicted = 0, positives = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const bool above = scores[i] >= t, positive = y[i] != 0;
    hits += above && positive;
    predicted += above;
    positives += positive;
  }
  const double precision = hits / (predicted + 1e-8), recall = hits / (positives + 1e-8);
  return 2 * precision * recall / (precision + recall + 1e-8);
}

}  // namespace detail

/// For each class with 3 or more positive files the first of `grid` at which the F1 of calibrated maxima >= t
/// is largest; 0.5 for the others. `oof_probs` and `y_full` are [files·n_windows, C]. calibrate(p, y), both
/// of one class' files, returns a Result of the calibrated p: in the notebook an isotonic regression of y on
/// p, whose fitted curve is used for the thresholds only. The notebook defines this and never calls it.
/// Errors: sizes that differ, NaN or infinity, no whole files, those of calibrate and values of its that are
/// not as many or finite.
template <class Calibrate>
Result<std::vector<float>> calibrate_and_optimize_thresholds(
    const Scores& oof_probs, const MultiHot& y_full, Calibrate&& calibrate,
    std::span<const float> grid = default_threshold_grid, std::size_t n_windows = n_windows_per_file) {
  constexpr const char* where = "calibrate_and_optimize_thresholds";
  PANTANAL_TRY_STATUS(detail::check_size(where, oof_probs, y_full.rows, y_full.columns));
  PANTANAL_TRY_STATUS(detail::check_files(where, oof_probs, n_windows));
  PANTANAL_TRY(const Scores file_oof, file_level_max(oof_probs, n_windows));
  PANTANAL_TRY(const MultiHot file_y, file_level_max(y_full, n_windows));
  std::vector<float> thresholds(y_full.columns, 0.5f);
  std::vector<float> p(file_y.rows);
  std::vector<std::uint8_t> y(file_y.rows);
  for (std::size_t c = 0; c < y_full.columns; ++c) {
    for (std::size_t i = 0; i < file_y.rows; ++i) {
      p[i] = file_oof(i, c);
      y[i] = file_y(i, c);
    }
    if (y.size() - static_cast<std::size_t>(std::ranges::count(y, 0)) < min_positive_files) continue;
    PANTANAL_TRY(const std::vector<float> calibrated,
                 calibrate(std::span<const float>(p), std::span<const std::uint8_t>(y)));
    if (calibrated.size() != p.size() || !all_finite(calibrated))
      return Error{ErrorCode::invalid_argument, where,
                   "a calibration of " + std::to_string(calibrated.size()) + " values",
                   std::to_string(p.size()) + " finite ones"};
    double best = 0;
    for (const float t : grid)
      if (const double f1 = detail::f1_from(calibrated, y, t); f1 > best) {
        best = f1;
        thresholds[c] = t;
      }
  }
  return thresholds;
}

}  // namespace pantanal::pipeline
