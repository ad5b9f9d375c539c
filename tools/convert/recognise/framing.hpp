// Framing: how the samples become overlapping frames, by a convolution or a table of indices.
#pragma once

#include <Eigen/Core>
#include <cstddef>

#include "analysis/analysis.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::convert {

/// How the samples are cut into frames, zeros around them included.
struct Framing {
  std::size_t frames = 0, hop = 0, pad_left = 0, pad_right = 0;
  bool operator==(const Framing&) const = default;
};

/// A linear function of each frame. Row i, column t: how much sample t of a frame adds to feature i.
struct FrameTransform {
  Framing framing;
  Eigen::MatrixXd matrix;
};

/// Whether a convolution with a kernel, or a table of indices, makes `fact`.
bool is_framing(const Fact& fact);

/// The framing that makes `fact`, and what its weights do besides. Errors: anything done to the samples
/// before they are framed; frames that do not follow each other regularly.
Result<FrameTransform> read_framing(const Analysis& analysis, const Fact& fact);

/// An Error if a matrix in double would take more than 1 GiB.
Status check_matrix_size(const Fact& fact, double rows, double columns);

}  // namespace pantanal::convert
