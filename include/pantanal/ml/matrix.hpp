// Matrix and MatrixView: the dense, row-major arrays that estimators take and give, and the checks that
// scikit-learn makes of them.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"

namespace pantanal::ml {

/// float or double: estimators compute in the type of their input, as scikit-learn does.
template <class T>
concept Real = std::same_as<T, float> || std::same_as<T, double>;

/// A row-major matrix that someone else owns.
template <class T>
struct MatrixView {
  const T* data = nullptr;
  std::size_t rows = 0, columns = 0;

  const T* row(std::size_t r) const { return data + r * columns; }
  const T& operator()(std::size_t r, std::size_t c) const { return data[r * columns + c]; }
  std::span<const T> values() const { return {data, rows * columns}; }
};

/// A row-major matrix of its own.
template <class T>
struct Matrix {
  std::vector<T> values;
  std::size_t rows = 0, columns = 0;

  Matrix() = default;
  Matrix(std::size_t row_count, std::size_t column_count)
      : values(row_count * column_count), rows(row_count), columns(column_count) {}

  T* row(std::size_t r) { return values.data() + r * columns; }
  const T* row(std::size_t r) const { return values.data() + r * columns; }
  T& operator()(std::size_t r, std::size_t c) { return values[r * columns + c]; }
  const T& operator()(std::size_t r, std::size_t c) const { return values[r * columns + c]; }
  MatrixView<T> view() const { return {values.data(), rows, columns}; }
};

/// Whether no value is NaN or infinite.
template <Real T>
bool all_finite(std::span<const T> values) {
  constexpr std::size_t sums = 16;  // x - x is 0 for finite x, else NaN; one sum would wait for itself
  T sum[sums] = {};
  std::size_t i = 0;
  for (; i + sums <= values.size(); i += sums)
    for (std::size_t k = 0; k < sums; ++k) sum[k] += values[i + k] - values[i + k];
  for (; i < values.size(); ++i) sum[0] += values[i] - values[i];
  for (const T s : sum)
    if (s != 0) return false;
  return true;
}

template <Real T>
Status check_finite(std::span<const T> values, std::string where) {
  if (all_finite(values)) return {};
  std::size_t at = 0;
  while (std::isfinite(values[at])) ++at;
  return Error{ErrorCode::invalid_argument, std::move(where),
               std::string(std::isnan(values[at]) ? "NaN" : "infinity") + " at index " + std::to_string(at),
               "finite values"};
}

/// Whether X has `least_rows` samples, a feature at least, and finite values.
template <Real T>
Status check_matrix(MatrixView<T> x, std::size_t least_rows = 1, const char* where = "X") {
  if (x.rows < least_rows || x.columns < 1)
    return Error{ErrorCode::invalid_argument, where,
                 std::to_string(x.rows) + " samples of " + std::to_string(x.columns) + " features",
                 "at least " + std::to_string(least_rows) + " of at least 1"};
  return check_finite(x.values(), where);
}

/// Whether `found` is a length that belongs to `samples` samples.
inline Status check_length(std::size_t found, std::size_t samples, std::string where) {
  if (found == samples) return {};
  return Error{ErrorCode::invalid_argument, std::move(where), std::to_string(found) + " entries",
               std::to_string(samples) + ", one per sample"};
}

/// Whether X, which a fitted estimator is to work on, has as many features as it was fitted on.
template <Real T>
Status check_features(MatrixView<T> x, std::size_t features, const char* estimator) {
  if (features == 0)
    return Error{ErrorCode::invalid_argument, estimator, "an estimator that is not fitted", "fit() first"};
  if (x.columns != features)
    return Error{ErrorCode::invalid_argument, std::string(estimator) + ": X",
                 std::to_string(x.columns) + " features", std::to_string(features) + ", as in fit()"};
  return check_matrix(x);
}

/// The weights of samples: finite, not negative, one per sample and not all zero; or none at all.
template <Real T>
Status check_weights(std::span<const T> weights, std::size_t samples) {
  if (weights.empty()) return {};
  PANTANAL_TRY_STATUS(check_length(weights.size(), samples, "sample_weight"));
  PANTANAL_TRY_STATUS(check_finite(weights, "sample_weight"));
  T sum = 0;
  for (const T w : weights) {
    if (w < 0)
      return Error{ErrorCode::invalid_argument, "sample_weight", std::to_string(w), "no negative weight"};
    sum += w;
  }
  if (sum > 0) return {};
  return Error{ErrorCode::invalid_argument, "sample_weight", "zeros only", "a positive weight"};
}

}  // namespace pantanal::ml
