// build_class_features: what a class' probe sees of each window.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/pipeline/matrix.hpp"

namespace pantanal::pipeline {

/// Features of a window besides the projected embedding (142 columns with 128 components; the notebook's
/// docstring says d + 13).
inline constexpr std::size_t n_class_features = 14;

/// A window's neighbours and its file, for one class. Each [N].
struct SequenceFeatures {
  std::vector<float> prev, next;         ///< the neighbours' values; at the edges the window's own
  std::vector<float> mean, max, stddev;  ///< of the file, the same in all its windows; stddev of a population
};

/// The sequence features of `v` [files·n_windows]. Means and deviations are summed in double. Errors: values
/// that are not finite, or no whole files.
inline Result<SequenceFeatures> seq_features_1d(std::span<const float> v,
                                                std::size_t n_windows = n_windows_per_file) {
  constexpr const char* where = "seq_features_1d";
  if (n_windows == 0 || v.size() % n_windows != 0)
    return Error{ErrorCode::mismatch, where, std::to_string(v.size()) + " windows",
                 "whole files of " + std::to_string(n_windows) + " windows"};
  if (!all_finite(v)) return Error{ErrorCode::invalid_argument, where, "NaN or infinity", "finite values"};
  SequenceFeatures features;
  for (std::size_t first = 0; first < v.size(); first += n_windows) {
    const std::span<const float> x = v.subspan(first, n_windows);
    double sum = 0, squares = 0;
    for (const float value : x) sum += double{value};
    const double mean = sum / static_cast<double>(n_windows);
    for (const float value : x) squares += (double{value} - mean) * (double{value} - mean);
    for (std::size_t i = 0; i < n_windows; ++i) {
      features.prev.push_back(x[i == 0 ? 0 : i - 1]);
      features.next.push_back(x[std::min(i + 1, n_windows - 1)]);
      features.mean.push_back(static_cast<float>(mean));
      features.max.push_back(*std::ranges::max_element(x));
      features.stddev.push_back(static_cast<float>(std::sqrt(squares / static_cast<double>(n_windows))));
    }
  }
  return features;
}

/// Features [N, d + 14] of one class: `emb_proj` [N, d], the embedding's principal components; then raw
/// score, prior logit and base score; the base's prev, next, mean, max and std; base−mean, base−prev,
/// base−next; raw·prior, raw·base, prior·base. Errors: sizes that differ, NaN or infinity, products that
/// overflow.
inline Result<Scores> build_class_features(const Scores& emb_proj, std::span<const float> raw_col,
                                           std::span<const float> prior_col,
                                           std::span<const float> base_col) {
  constexpr const char* where = "build_class_features";
  PANTANAL_TRY_STATUS(detail::check_files(where, emb_proj, n_windows_per_file));
  for (const std::span<const float> column : {raw_col, prior_col, base_col}) {
    if (column.size() != emb_proj.rows)
      return Error{ErrorCode::mismatch, where, "a column of " + std::to_string(column.size()),
                   std::to_string(emb_proj.rows) + " windows"};
    if (!all_finite(column))
      return Error{ErrorCode::invalid_argument, where, "NaN or infinity", "finite values"};
  }
  PANTANAL_TRY(const SequenceFeatures seq, seq_features_1d(base_col));
  Scores features(emb_proj.rows, emb_proj.columns + n_class_features);
  for (std::size_t i = 0; i < features.rows; ++i) {
    const float raw = raw_col[i], prior = prior_col[i], base = base_col[i];
    const float tail[n_class_features] = {raw,
                                          prior,
                                          base,
                                          seq.prev[i],
                                          seq.next[i],
                                          seq.mean[i],
                                          seq.max[i],
                                          seq.stddev[i],
                                          base - seq.mean[i],
                                          base - seq.prev[i],
                                          base - seq.next[i],
                                          raw * prior,
                                          raw * base,
                                          prior * base};
    const std::span<float> row = features.row(i);
    std::ranges::copy(tail, std::ranges::copy(emb_proj.row(i), row.begin()).out);
  }
  return detail::finite_result(where, std::move(features));
}

}  // namespace pantanal::pipeline
