// Matrix: a row-major table of numbers, windows by classes as a rule, and the checks that every step makes of
// one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/finite.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::pipeline {

/// Windows of five seconds in a soundscape of one minute.
inline constexpr std::size_t n_windows_per_file = 12;

/// `rows` x `columns` values, row after row.
template <class T>
struct Matrix {
  Matrix() = default;
  Matrix(std::size_t row_count, std::size_t column_count, T value = {})
      : rows(row_count), columns(column_count), values(row_count * column_count, value) {}

  T& operator()(std::size_t row, std::size_t column) { return values[row * columns + column]; }
  const T& operator()(std::size_t row, std::size_t column) const { return values[row * columns + column]; }
  std::span<T> row(std::size_t index) { return std::span(values).subspan(index * columns, columns); }
  std::span<const T> row(std::size_t index) const {
    return std::span(values).subspan(index * columns, columns);
  }

  std::size_t rows = 0, columns = 0;
  std::vector<T> values;
};

using Scores = Matrix<float>;           ///< [N, C], the windows of one file after the other
using MultiHot = Matrix<std::uint8_t>;  ///< [N, C], 1 where the class is in the window

namespace detail {

inline std::string size_text(std::size_t rows, std::size_t columns) {
  return std::to_string(rows) + " x " + std::to_string(columns);
}

/// Whether `found` is `rows` x `columns` and holds as many values as it says.
template <class T>
Status check_size(std::string_view where, const Matrix<T>& found, std::size_t rows, std::size_t columns) {
  if (found.rows != rows || found.columns != columns)
    return Error{ErrorCode::mismatch, std::string(where), size_text(found.rows, found.columns),
                 size_text(rows, columns)};
  if (found.values.size() != rows * columns)
    return Error{ErrorCode::mismatch, std::string(where), std::to_string(found.values.size()) + " values",
                 size_text(rows, columns)};
  return {};
}

/// Whether every value is finite; the error names the first that is not.
inline Status check_finite(std::string_view where, const Scores& found) {
  if (all_finite(found.values)) return {};
  std::size_t at = 0;
  while (all_finite(std::span(found.values).subspan(at, 1))) ++at;
  return Error{ErrorCode::invalid_argument,
               std::string(where) + "[" + std::to_string(at / found.columns) + ", " +
                   std::to_string(at % found.columns) + "]",
               "NaN or infinity", "finite values"};
}

/// Whether `found` holds finite values for whole files of `n_windows` windows.
inline Status check_files(std::string_view where, const Scores& found, std::size_t n_windows) {
  PANTANAL_TRY_STATUS(check_size(where, found, found.rows, found.columns));
  if (n_windows == 0 || found.rows % n_windows != 0)
    return Error{ErrorCode::mismatch, std::string(where), std::to_string(found.rows) + " windows",
                 "whole files of " + std::to_string(n_windows) + " windows"};
  return check_finite(where, found);
}

/// `result`, or an error if finite inputs were so large that it overflowed.
inline Result<Scores> finite_result(std::string_view where, Scores result) {
  if (all_finite(result.values)) return result;
  return Error{ErrorCode::invalid_argument, std::string(where), "inputs whose result overflows a float",
               "smaller values"};
}

}  // namespace detail

}  // namespace pantanal::pipeline
