// One inverted residual block (MBConv) with squeeze-and-excite, read backwards from its output.
#pragma once

#include <optional>
#include <string>

#include "analysis/analysis.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/perch/architecture.hpp"
#include "recognise/folded_layer.hpp"

namespace pantanal::convert {

struct MbConvMatch {
  perch::Block block;
  std::optional<FoldedLayer> expand;
  FoldedLayer depthwise, reduce, excite, project;
  perch::Extent size;           ///< of the block's input
  const Fact* input = nullptr;  ///< the block's input
};

/// The block whose output is `output`.
Result<MbConvMatch> match_mbconv(const Analysis& analysis, const Fact& output);

/// A two-dimensional convolution's geometry. Errors: not square, unequal strides, dilated, or not over (time,
/// frequency) in that order.
Result<perch::ConvGeometry> image_geometry(const Analysis& analysis, const LinearLayer& layer);

/// Extents of the image that a convolution is applied to, before padding.
perch::Extent image_extent(const LinearLayer& layer);

}  // namespace pantanal::convert
