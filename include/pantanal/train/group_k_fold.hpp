// Folds that keep groups together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"

namespace pantanal::train {

/// The fold of every sample: scikit-learn's GroupKFold. Groups go, by decreasing size, each to the fold with
/// the fewest samples (the first of several). Among groups of one size the one last in alphabetical order
/// goes first, which is numpy's stable argsort reversed; scikit-learn's own sort is not stable and leaves
/// that open. Errors: fewer than two folds, more folds than groups.
inline Result<std::vector<std::size_t>> group_k_fold(std::span<const std::string> groups,
                                                     std::size_t n_splits) {
  std::map<std::string, std::size_t> sizes;
  for (const std::string& group : groups) ++sizes[group];
  if (n_splits < 2 || n_splits > sizes.size())
    return Error{ErrorCode::invalid_argument, "group_k_fold",
                 std::to_string(n_splits) + " folds of " + std::to_string(sizes.size()) + " groups",
                 "at least two folds, and a group for each"};
  std::vector<std::pair<std::string, std::size_t>> order(sizes.begin(), sizes.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second < b.second; });
  std::reverse(order.begin(), order.end());
  std::vector<std::size_t> load(n_splits);
  std::map<std::string, std::size_t> fold_of;
  for (const auto& [group, size] : order) {
    const auto lightest = std::min_element(load.begin(), load.end());
    *lightest += size;
    fold_of[group] = static_cast<std::size_t>(lightest - load.begin());
  }
  std::vector<std::size_t> folds;
  for (const std::string& group : groups) folds.push_back(fold_of[group]);
  return folds;
}

}  // namespace pantanal::train
