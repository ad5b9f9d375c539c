// What all models of the Perch v2 family have in common, rule by rule. See family_deviations().
#pragma once

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "recognise/perch_match.hpp"

namespace pantanal::convert::family {

using Deviations = std::vector<Error>;

inline void add(Deviations& all, const Fact& fact, std::string found, std::string expected) {
  all.push_back(fact_error(fact, std::move(found), std::move(expected), ErrorCode::mismatch));
}

inline std::string name_of(perch::Activation activation) {
  return activation == perch::Activation::relu    ? "ReLU"
         : activation == perch::Activation::swish ? "swish"
                                                  : "none";
}

inline std::string to_string(const perch::Pads& pads) {
  return "[" + std::to_string(pads.top) + ", " + std::to_string(pads.left) + ", " +
         std::to_string(pads.bottom) + ", " + std::to_string(pads.right) + "]";
}

/// Begin and end of SAME padding, the greater half behind: ceil(size / stride) outputs.
inline std::pair<std::size_t, std::size_t> same_pads(std::size_t size, std::size_t kernel,
                                                     std::size_t stride) {
  const std::size_t reach = ((size + stride - 1) / stride - 1) * stride + kernel;
  const std::size_t total = reach > size ? reach - size : 0;
  return {total / 2, total - total / 2};
}

/// Whether the model is as wide as the released one, so that whatever else is released can be asked of it.
inline bool has_released_width(const PerchMatch& match) {
  return match.stem.layer.layer.outputs == 40 && match.head.layer.layer.outputs == 1536;
}

/// A number as people write it: 1e-05, 0.1.
inline std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

/// SAME frames, the released hop, a normalised symmetric Hann window, the released mel scale, floor and
/// factor.
void check_frontend(const PerchMatch& match, Deviations& all);

/// Kernel 3, stride 2, VALID; the same activation after the stem and after the last convolution.
void check_stem(const PerchMatch& match, Deviations& all);

/// Weights of 0 or more, prototypes of length 1, biases, a small epsilon.
void check_label(const PerchMatch& match, Deviations& all);

}  // namespace pantanal::convert::family
