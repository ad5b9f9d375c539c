// DistinctRows: which samples are copies of each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pantanal/ml/matrix.hpp"

namespace pantanal::ml {

/// For every row of X with its targets, the first row of the same bytes.
///
/// Oversampling repeats rows; a batch of them then costs as much as its distinct rows, each with a
/// multiplicity, which changes a sum's rounding and nothing else.
template <Real T>
std::vector<std::uint32_t> first_equal_rows(MatrixView<T> x, const Matrix<std::uint8_t>& targets) {
  std::vector<std::uint32_t> first(x.rows);
  std::unordered_multimap<std::size_t, std::uint32_t> seen;
  seen.reserve(x.rows);
  const auto bytes = [&](std::size_t r) {
    return std::string_view(reinterpret_cast<const char*>(x.row(r)), x.columns * sizeof(T));
  };
  const auto equal = [&](std::size_t a, std::size_t b) {
    return bytes(a) == bytes(b) && std::memcmp(targets.row(a), targets.row(b), targets.columns) == 0;
  };
  for (std::size_t r = 0; r < x.rows; ++r) {
    const std::size_t hash = std::hash<std::string_view>()(bytes(r));
    first[r] = static_cast<std::uint32_t>(r);
    const auto [begin, end] = seen.equal_range(hash);
    for (auto candidate = begin; candidate != end && first[r] == r; ++candidate)
      if (equal(candidate->second, r)) first[r] = candidate->second;
    if (first[r] == r) seen.emplace(hash, first[r]);
  }
  return first;
}

}  // namespace pantanal::ml
