// Everything linear between the samples and one value of the front end as one matrix per frame: framing,
// window, zero padding, DFT or DFT matrix, in whatever order and operators.
#pragma once

#include <vector>

#include "recognise/framing.hpp"

namespace pantanal::convert {

/// The transform that makes `value`, whose features lie along one axis. Errors: a node that is not linear in
/// the samples, or that mixes frames; anything done to the samples before they are framed.
Result<FrameTransform> read_frame_transform(const Analysis& analysis, const Fact& value);

/// Row of the transform for each element of a layout's feature dimensions, in row-major order.
std::vector<Eigen::Index> feature_rows(const Layout& layout, const Axes& axes);

}  // namespace pantanal::convert
