// The likeliest classes of one window.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

namespace pantanal::output {

/// One class of a window.
struct ScoredClass {
  std::size_t index = 0;  ///< its row in the label head
  float logit = 0;
  double softmax = 0;  ///< exp(logit) / Σ over all classes of exp
};

/// The `count` classes of highest logit (all, if there are fewer), highest first; of equal ones the first
/// comes first. Logits must be finite. Softmax is summed in double.
inline std::vector<ScoredClass> top_classes(std::span<const float> logits, std::size_t count) {
  if (logits.empty()) return {};
  std::vector<std::size_t> order(logits.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::size_t kept = std::min(count, logits.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
                    [logits](std::size_t a, std::size_t b) {
                      return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
                    });
  order.resize(kept);
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - largest);
  std::vector<ScoredClass> top;
  for (const std::size_t i : order) top.push_back({i, logits[i], std::exp(logits[i] - largest) / sum});
  return top;
}

}  // namespace pantanal::output
