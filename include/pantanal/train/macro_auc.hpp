// The area under the ROC curve, averaged over classes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

namespace pantanal::train {

/// The probability that a positive row's score exceeds a negative's, ties counting half; nothing less than
/// both must be there. Source: Hanley and McNeil 1982, "The Meaning and Use of the Area under a ROC Curve".
inline double roc_auc(std::span<const float> labels, std::span<const float> scores, std::size_t classes,
                      std::size_t column) {
  std::vector<std::size_t> order(labels.size() / classes);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto score = [&](std::size_t row) { return scores[row * classes + column]; };
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return score(a) < score(b); });
  double positives = 0, below = 0, wins = 0;  // below: negatives with a lower score
  for (std::size_t first = 0; first < order.size();) {
    std::size_t end = first;
    double tied[2] = {0, 0};
    for (; end < order.size() && score(order[end]) == score(order[first]); ++end)
      ++tied[labels[order[end] * classes + column] > 0.5f ? 1 : 0];
    wins += tied[1] * (below + tied[0] / 2);
    positives += tied[1], below += tied[0];
    first = end;
  }
  return wins / (positives * below);
}

/// Its mean over the classes that have a positive and a negative; 0 if none has. labels (above ½ is positive)
/// and scores [rows, classes].
inline double macro_auc_skip_empty(std::span<const float> labels, std::span<const float> scores,
                                   std::size_t classes) {
  std::vector<std::size_t> positives(classes);
  for (std::size_t i = 0; i < labels.size(); ++i) positives[i % classes] += labels[i] > 0.5f ? 1 : 0;
  const std::size_t rows = labels.size() / classes;
  double sum = 0, count = 0;
  for (std::size_t k = 0; k < classes; ++k)
    if (positives[k] > 0 && positives[k] < rows) sum += roc_auc(labels, scores, classes, k), ++count;
  return count > 0 ? sum / count : 0;
}

}  // namespace pantanal::train
