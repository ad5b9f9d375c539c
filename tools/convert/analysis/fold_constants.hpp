// Constant folding: what a node makes of values that do not depend on the model's input, and the shape chains
// that carry the batch size, in which integers stay linear functions of it.
#pragma once

#include <vector>

#include "analysis/fact.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::convert {

/// Values of a node's outputs, one for each; none, where they are not known.
using Folded = Result<std::vector<Known>>;

inline Folded unknown() { return std::vector<Known>(); }

/// The node's outputs if they can be computed now; none if not. Shape and Size need only the extents of their
/// input, everything else known inputs. Real arithmetic is done and kept in double. Errors: attributes or
/// shapes that contradict the operator's definition.
Result<std::vector<Known>> fold_constants(const NodeView& node);

/// Likewise for operators that compute: elementwise ones and reductions. All inputs are known.
Result<std::vector<Known>> fold_arithmetic(const NodeView& node);

/// Likewise for operators that only move elements.
Result<std::vector<Known>> fold_movement(const NodeView& node);

}  // namespace pantanal::convert
