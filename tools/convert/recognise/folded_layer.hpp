// FoldedLayer: a linear layer together with the scales and shifts that follow it (batch norm, biases), as one
// weight and one bias, computed in double.
#pragma once

#include <string>
#include <vector>

#include "pantanal/perch/model.hpp"
#include "recognise/linear_layer.hpp"

namespace pantanal::convert {

/// Which parts a layer was written in. Layers of one kind that differ in it have probably lost a node.
struct LayerParts {
  bool bias = false;   ///< the operator's own
  bool scale = false;  ///< a factor per channel after it
  bool shift = false;  ///< a summand per channel after it
  std::string order;   ///< the nodes after it, such as "scale, shift"
  bool operator==(const LayerParts&) const = default;
};

/// "its own bias, a scale, no shift", and the order of what follows if it is not scale, shift.
std::string to_string(const LayerParts& parts);

/// y = weight · x + bias.
struct FoldedLayer {
  LinearLayer layer;
  LayerParts parts;
  std::vector<float> weight;  ///< [outputs, inputs per group, kernel]
  std::vector<float> bias;    ///< [outputs]
};

/// The layer that makes `value`, through Mul, Div, Add, Sub, Neg with one constant per channel and
/// BatchNormalization. Errors: something else makes it; a weight or bias that is not finite.
Result<FoldedLayer> read_folded_layer(const Analysis& analysis, const Fact& value, const std::string& role);

/// Whether only such scales and shifts stand between `value` and a convolution or matrix product.
bool is_folded_layer(const Fact& value);

}  // namespace pantanal::convert
