// Layout inference: over which axes the outputs of a node run, given those of its inputs.
#pragma once

#include <vector>

#include "analysis/fact.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::convert {

/// One layout per output of the node. New axes are appended to `axes`; a feature axis over which a
/// convolution slides becomes the frequency axis. At least one input is not known. Errors: an operator
/// without a rule here, extents that do not fit, a Reshape that cuts through an axis.
Result<std::vector<Layout>> infer_layout(const NodeView& node, Axes& axes);

/// Whether the operator only rearranges or repeats its first input's elements.
bool is_view(const NodeView& node);

}  // namespace pantanal::convert
