// From the leaves of Perch v2's Flax tree to the tensors of a model.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "pantanal/core/result.hpp"
#include "pantanal/perch/model.hpp"
#include "savedmodel/tensor_bundle.hpp"

namespace pantanal::convert {

inline constexpr std::string_view leaf_key_prefix = "_tf_var_leaves/";

/// The key under which a checkpoint keeps a leaf.
inline std::string leaf_key(std::size_t number) {
  return std::string(leaf_key_prefix) + std::to_string(number) + "/.ATTRIBUTES/VARIABLE_VALUE";
}

/// Fills `model.tensors` from a checkpoint whose leaves have the shapes of flax_leaves(model.architecture),
/// and with the released front end. BatchNorm (epsilon 1e-5) is folded into the convolution before it, and
/// prototypes are divided by their length + 1e-5, in double. Errors name the leaf: unreadable, not finite, a
/// negative variance.
Status convert_leaves(const TensorBundle& bundle, perch::Model& model);

}  // namespace pantanal::convert
