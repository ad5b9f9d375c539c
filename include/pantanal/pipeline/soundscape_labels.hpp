// The label cells of train_soundscapes_labels.csv: one cell's labels, and the union of several.
#pragma once

#include <algorithm>
#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pantanal::pipeline {

/// The labels of one cell, separated by ';', blanks around them removed, empty ones left out, in the order in
/// which they are written.
///
/// An empty cell has one label, "nan", as in the notebook, which turns cells into text before it asks whether
/// they are missing. No class is called so; it does no more than show up in the list.
inline std::vector<std::string> parse_soundscape_labels(std::string_view cell) {
  if (cell.empty()) return {"nan"};
  constexpr std::string_view blanks = " \t\n\r\v\f";
  std::vector<std::string> labels;
  for (std::size_t begin = 0; begin <= cell.size();) {
    const std::size_t end = std::min(cell.find(';', begin), cell.size());
    std::string_view label = cell.substr(begin, end - begin);
    label.remove_prefix(std::min(label.find_first_not_of(blanks), label.size()));
    label = label.substr(0, label.find_last_not_of(blanks) + 1);
    if (!label.empty()) labels.emplace_back(label);
    begin = end + 1;
  }
  return labels;
}

/// The labels of all `cells`, each once, sorted byte by byte.
inline std::vector<std::string> union_labels(std::span<const std::string> cells) {
  std::set<std::string> all;
  for (const std::string& cell : cells)
    for (std::string& label : parse_soundscape_labels(cell)) all.insert(std::move(label));
  return {all.begin(), all.end()};
}

}  // namespace pantanal::pipeline
