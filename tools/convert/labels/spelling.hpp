// Which known word somebody may have meant.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pantanal::convert {

/// Levenshtein's distance: how many single characters must be inserted, deleted or replaced to turn `a` into
/// `b`. Lower and upper case of ASCII letters are one character.
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  std::vector<std::size_t> row(b.size() + 1);  // distances from a's first i characters to b's first j
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

/// The first of `words` that is nearest to `word` by edit_distance; empty if there are none. Only the first
/// 200 characters count, so that a file of something else does not take forever.
inline std::string nearest_spelling(std::string_view word, std::span<const std::string> words) {
  constexpr std::size_t most = 200;
  std::string_view nearest;
  std::size_t least = std::numeric_limits<std::size_t>::max();
  for (const std::string& known : words) {
    const std::size_t distance = edit_distance(word.substr(0, most), std::string_view(known).substr(0, most));
    if (distance < least) {
      least = distance;
      nearest = known;
    }
  }
  return std::string(nearest);
}

}  // namespace pantanal::convert
