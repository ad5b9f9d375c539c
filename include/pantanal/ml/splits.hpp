// Splits of samples as scikit-learn 1.9 makes them: GroupKFold, ShuffleSplit and StratifiedShuffleSplit.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/ml/matrix.hpp"
#include "pantanal/ml/random_state.hpp"

namespace pantanal::ml {

/// Indices of samples.
struct Split {
  std::vector<std::size_t> train, test;
};

/// A share of the samples in (0, 1), a number of them, or (neither) what the other one leaves.
struct SplitSize {
  std::optional<double> share = {};
  std::optional<std::size_t> count = {};
};

namespace detail {

/// Sorted distinct values and, per sample, the index of its own.
struct Codes {
  std::vector<std::int64_t> values;
  std::vector<std::size_t> codes, counts;
};

inline Codes encode(std::span<const std::int64_t> labels) {
  Codes out;
  out.values.assign(labels.begin(), labels.end());
  std::sort(out.values.begin(), out.values.end());
  out.values.erase(std::unique(out.values.begin(), out.values.end()), out.values.end());
  out.counts.assign(out.values.size(), 0);
  for (const std::int64_t label : labels) {
    const auto at = std::lower_bound(out.values.begin(), out.values.end(), label);
    out.codes.push_back(static_cast<std::size_t>(at - out.values.begin()));
    ++out.counts[out.codes.back()];
  }
  return out;
}

/// Samples of each group, in order.
inline std::vector<std::vector<std::size_t>> members(const Codes& codes) {
  std::vector<std::vector<std::size_t>> lists(codes.values.size());
  for (std::size_t i = 0; i < codes.codes.size(); ++i) lists[codes.codes[i]].push_back(i);
  return lists;
}

/// How many of `draws` each class gets: its expected number rounded down, and one more for those with the
/// largest remainders, among equal ones at random. (scikit-learn's mode of the multivariate hypergeometric.)
inline std::vector<std::size_t> approximate_mode(const std::vector<std::size_t>& counts, std::size_t draws,
                                                 RandomState& random) {
  double total = 0;
  for (const std::size_t count : counts) total += static_cast<double>(count);
  std::vector<std::size_t> drawn;
  std::map<double, std::vector<std::size_t>, std::greater<>> by_remainder;
  std::size_t missing = draws;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double expected = static_cast<double>(counts[i]) / total * static_cast<double>(draws);
    drawn.push_back(static_cast<std::size_t>(expected));
    by_remainder[expected - std::floor(expected)].push_back(i);
    missing -= std::min(missing, drawn.back());
  }
  for (const auto& [remainder, classes] : by_remainder) {
    if (missing == 0) break;
    const std::size_t added = std::min(classes.size(), missing);
    for (const std::size_t i : random.choice(classes.size(), added, false)) ++drawn[classes[i]];
    missing -= added;
  }
  return drawn;
}

inline Error split_error(std::string where, std::string found, std::string expected) {
  return {ErrorCode::invalid_argument, std::move(where), std::move(found), std::move(expected)};
}

/// The number that a size stands for; shares of tests are rounded up, of training down.
inline Result<std::optional<std::size_t>> resolve(const SplitSize& size, std::size_t samples, bool up,
                                                  const char* where) {
  if (size.share) {
    if (!(*size.share > 0 && *size.share < 1))
      return split_error(where, std::to_string(*size.share), "a share between 0 and 1");
    const double exact = *size.share * static_cast<double>(samples);
    return std::optional(static_cast<std::size_t>(up ? std::ceil(exact) : std::floor(exact)));
  }
  if (size.count && (*size.count == 0 || *size.count >= samples))
    return split_error(where, std::to_string(*size.count), "from 1 to less than the number of samples");
  return size.count;
}

struct SplitCounts {
  std::size_t train = 0, test = 0;
};
inline Result<SplitCounts> split_counts(std::size_t samples, SplitSize test_size, SplitSize train_size) {
  if (!test_size.share && !test_size.count && !train_size.share && !train_size.count) test_size.share = 0.1;
  PANTANAL_TRY(const std::optional<std::size_t> test, resolve(test_size, samples, true, "test_size"));
  PANTANAL_TRY(const std::optional<std::size_t> train, resolve(train_size, samples, false, "train_size"));
  SplitCounts counts{train ? *train : samples - *test, test ? *test : samples - *train};
  if (counts.train + counts.test > samples)
    return split_error("train_size and test_size", std::to_string(counts.train + counts.test) + " samples",
                       "at most " + std::to_string(samples) + " together");
  if (counts.train == 0)
    return split_error("train_size", "no training sample of " + std::to_string(samples), "at least 1");
  return counts;
}

}  // namespace detail

/// One random split of `samples`: the first draws of a permutation are tests, the next ones train.
inline Result<Split> shuffle_split(std::size_t samples, SplitSize test_size, SplitSize train_size,
                                   RandomState& random) {
  PANTANAL_TRY(const detail::SplitCounts counts, detail::split_counts(samples, test_size, train_size));
  const std::vector<std::size_t> order = random.permutation(samples);
  const auto test_end = order.begin() + static_cast<std::ptrdiff_t>(counts.test);
  return Split{{test_end, test_end + static_cast<std::ptrdiff_t>(counts.train)}, {order.begin(), test_end}};
}

/// One split that keeps the classes' shares of `labels`; `random` is drawn from as scikit-learn does, so that
/// calls in turn give the splits of StratifiedShuffleSplit(n_splits, random_state). Errors: a class with one
/// sample, fewer training or test samples than classes.
inline Result<Split> stratified_shuffle_split(std::span<const std::int64_t> labels, SplitSize test_size,
                                              SplitSize train_size, RandomState& random) {
  PANTANAL_TRY(const detail::SplitCounts counts, detail::split_counts(labels.size(), test_size, train_size));
  const detail::Codes codes = detail::encode(labels);
  const std::size_t classes = codes.values.size();
  for (std::size_t i = 0; i < classes; ++i)
    if (codes.counts[i] < 2)
      return detail::split_error("y", "class " + std::to_string(codes.values[i]) + " with 1 member",
                                 "at least 2 members of each class");
  if (counts.train < classes)
    return detail::split_error("train_size", std::to_string(counts.train),
                               "at least the number of classes, " + std::to_string(classes));
  if (counts.test < classes)
    return detail::split_error("test_size", std::to_string(counts.test),
                               "at least the number of classes, " + std::to_string(classes));
  const auto lists = detail::members(codes);
  const std::vector<std::size_t> train = detail::approximate_mode(codes.counts, counts.train, random);
  std::vector<std::size_t> rest = codes.counts;
  for (std::size_t i = 0; i < classes; ++i) rest[i] -= train[i];
  const std::vector<std::size_t> test = detail::approximate_mode(rest, counts.test, random);
  Split split;
  for (std::size_t i = 0; i < classes; ++i) {
    const std::vector<std::size_t> order = random.permutation(lists[i].size());
    for (std::size_t k = 0; k < train[i] + test[i]; ++k)
      (k < train[i] ? split.train : split.test).push_back(lists[i][order[k]]);
  }
  random.shuffle(std::span(split.train));
  random.shuffle(std::span(split.test));
  return split;
}

/// StratifiedShuffleSplit(n_splits, test_size, train_size, random_state).split(·, labels).
inline Result<std::vector<Split>> stratified_shuffle_splits(std::span<const std::int64_t> labels,
                                                            std::size_t n_splits, SplitSize test_size,
                                                            SplitSize train_size, std::uint32_t seed) {
  RandomState random(seed);
  std::vector<Split> splits;
  for (std::size_t i = 0; i < n_splits; ++i) {
    PANTANAL_TRY(Split split, stratified_shuffle_split(labels, test_size, train_size, random));
    splits.push_back(std::move(split));
  }
  return splits;
}

/// GroupKFold(n_splits): no group is in two folds. Groups by falling size, each to the fold with the fewest
/// samples so far (the first of equal ones). Of equally large groups the one whose label sorts last goes
/// first, which is scikit-learn 1.9's stable rule; before 1.9 it depended on NumPy's unstable sort.
/// With `seed`, GroupKFold(shuffle=True): permuted groups, cut into folds of equal numbers of groups.
inline Result<std::vector<Split>> group_k_fold(std::span<const std::int64_t> groups, std::size_t n_splits,
                                               std::optional<std::uint32_t> seed = {}) {
  if (n_splits < 2) return detail::split_error("n_splits", std::to_string(n_splits), "at least 2");
  const detail::Codes codes = detail::encode(groups);
  const std::size_t count = codes.values.size();
  if (n_splits > count)
    return detail::split_error("n_splits", std::to_string(n_splits),
                               "at most the number of groups, " + std::to_string(count));
  std::vector<std::size_t> fold(count);
  if (seed) {
    const std::vector<std::size_t> order = RandomState(*seed).permutation(count);
    const std::size_t least = count / n_splits, longer = count % n_splits;
    for (std::size_t i = 0, at = 0; i < n_splits; ++i)
      for (std::size_t k = 0; k < least + (i < longer ? 1 : 0); ++k) fold[order[at++]] = i;
  } else {
    std::vector<std::size_t> order(count), load(n_splits);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return codes.counts[a] < codes.counts[b]; });
    std::reverse(order.begin(), order.end());
    for (const std::size_t group : order) {
      const auto lightest = std::min_element(load.begin(), load.end());
      *lightest += codes.counts[group];
      fold[group] = static_cast<std::size_t>(lightest - load.begin());
    }
  }
  std::vector<Split> splits(n_splits);
  for (std::size_t i = 0; i < groups.size(); ++i)
    for (std::size_t k = 0; k < n_splits; ++k)
      (fold[codes.codes[i]] == k ? splits[k].test : splits[k].train).push_back(i);
  return splits;
}

}  // namespace pantanal::ml
