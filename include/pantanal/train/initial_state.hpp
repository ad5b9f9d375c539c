// The parameters that trainings start from: PyTorch's and the reference's distributions, drawn from named
// streams.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/autograd/dropout.hpp"
#include "pantanal/core/philox.hpp"
#include "pantanal/core/tensor.hpp"
#include "pantanal/nn/state_dict.hpp"

namespace pantanal::train {

namespace detail {

/// The extent that a layer's weights and bias are scaled by: inputs of its weight, for depthwise kernels
/// their taps.
inline std::size_t fan_in(const std::vector<TensorSpec>& specs, const std::string& name) {
  const std::string weight = name.substr(0, name.rfind('.')) + ".weight";
  for (const TensorSpec& spec : specs)
    if (spec.name == weight) {
      std::size_t product = 1;
      for (std::size_t i = 1; i < spec.shape.size(); ++i) product *= static_cast<std::size_t>(spec.shape[i]);
      return product;
    }
  return 1;
}

inline bool is_norm(std::string_view name) {
  return name.find("norm") != name.npos || name.starts_with("input_proj.1.");
}

/// Fills one tensor. See initial_state() for the rules.
inline void initialise(const std::vector<TensorSpec>& specs, const TensorSpec& spec, Random random,
                       std::vector<float>& values) {
  const std::string& name = spec.name;
  const auto fill = [&](auto&& draw) {
    for (float& x : values) x = static_cast<float>(draw());
  };
  const auto uniform = [&](double bound) { fill([&] { return bound * (2 * random.uniform() - 1); }); };
  const auto normal = [&](double scale) { fill([&] { return scale * random.normal(); }); };
  const auto constant = [&](float x) { std::fill(values.begin(), values.end(), x); };
  if (name.ends_with("A_log")) {
    const auto states = static_cast<std::size_t>(spec.shape[1]);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::log(static_cast<float>(i % states + 1));
  } else if (name.ends_with(".D")) {
    constant(1);
  } else if (name == "pos_enc" || name == "prototypes") {
    normal(0.02);
  } else if (name == "proto_temp") {
    constant(5);
  } else if (name == "class_bias" || name == "fusion_alpha" || name.starts_with("output_head.")) {
    constant(0);
  } else if (name.ends_with("_emb.weight")) {
    normal(1);
  } else if (is_norm(name)) {
    constant(name.ends_with("weight") ? 1.0f : 0.0f);
  } else if (name.ends_with("in_proj_weight")) {
    uniform(std::sqrt(6.0 / static_cast<double>(spec.shape[0] + spec.shape[1])));
  } else if (name.ends_with("in_proj_bias") || name.ends_with("attn.out_proj.bias")) {
    constant(0);
  } else {
    uniform(1 / std::sqrt(static_cast<double>(fan_in(specs, name))));
  }
}

}  // namespace detail

/// Parameters of `specs`, those of a ProtoSSM or ResidualSSM: Linear and Conv1d uniform within ±1/√fan_in,
/// weight and bias; the attention's in_proj within Xavier's bound, its biases 0; Embedding N(0, 1); norms 1
/// and 0; A_log = ln 1 … ln N, D = 1; positions and prototypes 0.02·N(0, 1), temperature 5; class bias, gate
/// and residual head 0. Tensor i of `specs` reads the stream (seed, purpose::initial_state, i) from its
/// start.
inline nn::StateDict initial_state(const std::vector<TensorSpec>& specs, std::uint64_t seed) {
  nn::StateDict state;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    std::vector<float> values(static_cast<std::size_t>(element_count(specs[i].shape).value_or(0)));
    const RandomStream stream{
        .seed = seed, .purpose = autograd::purpose::initial_state, .step = static_cast<std::uint32_t>(i)};
    detail::initialise(specs, specs[i], Random(stream), values);
    state.emplace(specs[i].name, make_tensor(specs[i].shape, std::move(values)));
  }
  return state;
}

}  // namespace pantanal::train
