// Pooling adjacent violators, and Spearman's rank correlation: what isotonic regression is made of.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "pantanal/ml/matrix.hpp"

namespace pantanal::ml {

/// Replaces y by the monotone sequence with the least weighted squared distance to it. Weights positive.
/// Source: Best and Chakravarti 1990, "Active set algorithms for isotonic regression".
inline void pool_adjacent_violators(std::vector<double>& y, const std::vector<double>& weight,
                                    bool increasing) {
  struct Block {
    double sum = 0, weight = 0;
    std::size_t size = 0;
    double level() const { return sum / weight; }
  };
  std::vector<Block> blocks;
  const std::size_t n = y.size();
  for (std::size_t k = 0; k < n; ++k) {
    const std::size_t i = increasing ? k : n - 1 - k;
    Block last{y[i] * weight[i], weight[i], 1};
    while (!blocks.empty() && blocks.back().level() >= last.level()) {
      last.sum += blocks.back().sum;
      last.weight += blocks.back().weight;
      last.size += blocks.back().size;
      blocks.pop_back();
    }
    blocks.push_back(last);
  }
  std::size_t k = 0;
  for (const Block& block : blocks)
    for (std::size_t i = 0; i < block.size; ++i, ++k) y[increasing ? k : n - 1 - k] = block.level();
}

/// Ranks from 1, equal values sharing their mean.
template <Real T>
std::vector<double> average_ranks(std::span<const T> x) {
  std::vector<std::size_t> order(x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return x[a] < x[b]; });
  std::vector<double> ranks(x.size());
  for (std::size_t begin = 0, end = 0; begin < x.size(); begin = end) {
    while (end < x.size() && x[order[end]] == x[order[begin]]) ++end;
    for (std::size_t k = begin; k < end; ++k) ranks[order[k]] = (static_cast<double>(begin + end) + 1) / 2;
  }
  return ranks;
}

/// Spearman's ρ; NaN if x or y is constant.
template <Real T>
double spearman(std::span<const T> x, std::span<const T> y) {
  const std::vector<double> a = average_ranks(x), b = average_ranks(y);
  const double mean = (static_cast<double>(x.size()) + 1) / 2;
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean) * (b[i] - mean);
    aa += (a[i] - mean) * (a[i] - mean);
    bb += (b[i] - mean) * (b[i] - mean);
  }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace pantanal::ml
