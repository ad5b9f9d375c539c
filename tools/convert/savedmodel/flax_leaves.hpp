// The Flax parameter tree of Perch v2, flattened as its SavedModel stores it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/core/shape.hpp"
#include "pantanal/perch/architecture.hpp"

namespace pantanal::convert {

/// One array of the tree. Convolution kernels are [height, width, in, out], dense ones [in, out], prototypes
/// [classes, channels, prototypes].
struct FlaxLeaf {
  std::string path;  ///< e.g. "params/MBConv_10/ExpandConv/kernel"
  Shape shape;
};

/// The leaves in the order in which they are numbered: paths sorted as text, so that MBConv_10 comes between
/// MBConv_1 and MBConv_2.
std::vector<FlaxLeaf> flax_leaves(const perch::Architecture& architecture);

/// The released architecture with the widths that leaves of these shapes have, by leaf number. The kernels
/// (and the prototypes) tell the widths; every other leaf must agree with them. The error names the first
/// that does not: number, path, what was found, what was expected. `where` names the file.
Result<perch::Architecture> architecture_of_leaves(const std::vector<Shape>& shapes, std::string_view where);

/// "WHERE: leaf NUMBER (PATH)", how errors name a leaf.
std::string leaf_name(std::string_view where, std::size_t number, std::string_view path);

}  // namespace pantanal::convert
