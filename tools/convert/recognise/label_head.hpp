// The label head: prototypes compared with every position, the best position taken, weighted and summed per
// class.
#pragma once

#include <vector>

#include "analysis/analysis.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/perch/architecture.hpp"

namespace pantanal::convert {

struct LabelMatch {
  perch::LabelHead head;
  std::vector<float> prototypes;   ///< [classes, prototypes, channels]
  std::vector<float> scale;        ///< [classes, prototypes]
  std::vector<float> bias;         ///< [classes]
  const Fact* image = nullptr;     ///< the value whose positions are compared
  const Fact* product = nullptr;   ///< the product with the prototypes
  const Fact* weighted = nullptr;  ///< the product with the scale
};

/// Reads Σ_p scale_cp · max over positions of ⟨x/(‖x‖+eps), prototype_cp⟩ + bias_c from the logits.
Result<LabelMatch> match_label_head(const Analysis& analysis, const Fact& logits);

}  // namespace pantanal::convert
