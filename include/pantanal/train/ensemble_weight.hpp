// How much of an ensemble's two scores to take of each.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/ml/ranking_metrics.hpp"

namespace pantanal::train {

struct EnsembleWeight {
  double weight = 0, auc = 0;         ///< the best
  std::vector<double> weights, aucs;  ///< all that were tried
};

/// The w of 0, 0.05, … 1 with the greatest ml::macro_auc_or_zero of w·proto + (1-w)·mlp, the smallest of
/// equals. All three [rows, classes]. Errors: other sizes.
inline Result<EnsembleWeight> optimize_ensemble_weight(std::span<const float> proto,
                                                       std::span<const float> mlp,
                                                       std::span<const float> labels, std::size_t classes) {
  if (classes == 0 || labels.empty() || labels.size() % classes != 0 || proto.size() != labels.size() ||
      mlp.size() != labels.size())
    return Error{ErrorCode::invalid_argument, "optimize_ensemble_weight",
                 std::to_string(proto.size()) + ", " + std::to_string(mlp.size()) + " and " +
                     std::to_string(labels.size()) + " floats",
                 "scores and labels of rows x " + std::to_string(classes)};
  EnsembleWeight found;
  std::vector<float> blend(labels.size());
  for (int i = 0; i <= 20; ++i) {
    const double w = 0.05 * i;
    for (std::size_t j = 0; j < blend.size(); ++j)
      blend[j] = static_cast<float>(w) * proto[j] + static_cast<float>(1 - w) * mlp[j];
    const double auc = ml::macro_auc_or_zero(labels, blend, classes);
    if (found.weights.empty() || auc > found.auc) found.weight = w, found.auc = auc;
    found.weights.push_back(w), found.aucs.push_back(auc);
  }
  return found;
}

}  // namespace pantanal::train
