// A Perch model's trained parameters, and the model that they make.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/autograd/perch_network.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/nn/state_dict.hpp"
#include "pantanal/perch/model.hpp"

namespace pantanal::train {

/// The parameters of `part` of a valid model with a label head, every scale 1.
inline nn::StateDict perch_state(const perch::Model& model, const autograd::PerchPart& part) {
  nn::StateDict state;
  for (const TensorSpec& spec : autograd::perch_parameters(model.architecture, part)) {
    const auto found = model.tensors.find(spec.name);
    if (found != model.tensors.end())
      state.emplace(spec.name, found->second);
    else
      state.emplace(
          spec.name,
          make_tensor(spec.shape, std::vector<float>(static_cast<std::size_t>(spec.shape.front()), 1.0f)));
  }
  return state;
}

namespace detail {

/// Scales folded into weights, prototypes of unit length, scales of the label head from 0.
inline std::vector<float> folded_values(const nn::StateDict& state, const std::string& name, float eps) {
  const std::span<const float> from = state.at(name).values;
  std::vector<float> values(from.begin(), from.end());
  const auto width = static_cast<std::size_t>(state.at(name).shape.back());
  if (name == "label.scale") {
    for (float& x : values) x = std::max(x, 0.0f);
  } else if (name == "label.prototypes") {
    for (std::size_t first = 0; first < values.size(); first += width) {
      double squares = 0;
      for (std::size_t i = first; i < first + width; ++i) squares += double{values[i]} * double{values[i]};
      const float length = std::max(static_cast<float>(std::sqrt(squares)), eps);
      for (std::size_t i = first; i < first + width; ++i) values[i] /= length;
    }
  } else if (name.ends_with(".weight")) {
    const auto scale = state.find(name.substr(0, name.rfind('.')) + ".scale");
    if (scale != state.end()) {
      const std::size_t fan_in = values.size() / scale->second.values.size();
      for (std::size_t i = 0; i < values.size(); ++i) values[i] *= scale->second.values[i / fan_in];
    }
  }
  return values;
}

}  // namespace detail

/// `start` with the parameters in `state`, which perch_state() names, in place of its own.
inline perch::Model perch_model(const perch::Model& start, const nn::StateDict& state) {
  perch::Model model = start;
  for (auto& [name, tensor] : model.tensors)
    if (state.contains(name))
      tensor = make_tensor(tensor.shape, detail::folded_values(state, name, start.architecture.label.eps));
  return model;
}

/// The first `blocks` blocks of a valid model, their output being the spatial embedding: a head of weights 1
/// and 0 hands it on, bit for bit. Errors: no block, or more than there are.
inline Result<perch::Model> perch_prefix(const perch::Model& model, std::size_t blocks) {
  if (blocks == 0 || blocks > model.architecture.blocks.size())
    return Error{ErrorCode::invalid_argument, "perch_prefix", std::to_string(blocks) + " blocks",
                 "1 to " + std::to_string(model.architecture.blocks.size())};
  perch::Model prefix = model;
  perch::Architecture& a = prefix.architecture;
  a.blocks.resize(blocks);
  const std::size_t channels = a.blocks.back().out_channels;
  a.head = {channels, perch::Activation::none};
  a.label.classes = 0;
  prefix.labels.clear(), prefix.tensors.clear();
  for (const TensorSpec& spec : perch::required_tensors(a)) {
    if (!spec.name.starts_with("head.")) {
      prefix.tensors.emplace(spec.name, model.tensors.find(spec.name)->second);
      continue;
    }
    std::vector<float> values(static_cast<std::size_t>(element_count(spec.shape).value_or(0)));
    if (spec.name == "head.weight")
      for (std::size_t c = 0; c < channels; ++c) values[c * channels + c] = 1;
    prefix.tensors.emplace(spec.name, make_tensor(spec.shape, std::move(values)));
  }
  return prefix;
}

}  // namespace pantanal::train
