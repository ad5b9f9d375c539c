// Activations: ReLU, swish and the sigmoid gate, recognised by their values in whatever operators they are
// written.
#pragma once

#include "analysis/analysis.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/perch/architecture.hpp"

namespace pantanal::convert {

/// An activation and the value it is applied to.
struct ActivationMatch {
  perch::Activation kind = perch::Activation::none;
  const Fact* input = nullptr;
};

/// The ReLU or swish that makes `value`. The error says what the nodes there compute instead, as far as it
/// has a name; `role` says what the value is for.
Result<ActivationMatch> match_activation(const Analysis& analysis, const Fact& value,
                                         const std::string& role);

/// Input of the sigmoid that makes `value`; of the sigmoid of which it is the reciprocal if `reciprocal`.
Result<const Fact*> match_sigmoid(const Analysis& analysis, const Fact& value, bool reciprocal,
                                  const std::string& role);

}  // namespace pantanal::convert
