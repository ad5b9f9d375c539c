// Prototypes that start where their classes are.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/autograd/parameters.hpp"
#include "pantanal/autograd/window_encoder.hpp"
#include "pantanal/heads/proto_ssm_config.hpp"
#include "pantanal/train/proto_ssm_step.hpp"

namespace pantanal::train {

namespace detail {

/// input_proj of every window of `data`, [rows, row_stride(d_model)], with dropout, which draws at epoch 2^32
/// - 1.
inline AlignedBuffer<float> project_windows(const nn::StateDict& state, const heads::ProtoSsmConfig& c,
                                            const ProtoSsmData& data, float dropout, std::uint64_t seed) {
  TensorList list;
  heads::WindowEncoder::require(list, c.encoder());
  autograd::ParameterSet parameters(std::move(list).take());
  for (const TensorSpec& spec : parameters.specs()) {
    const auto values = tensor_values(state, spec.name);
    std::copy(values.begin(), values.end(), parameters[spec.name].value.begin());
  }
  const auto& table = kernels::table(best_instruction_set());
  const nn::Sequences all{data.files, data.steps};
  autograd::Tape tape;
  autograd::WindowEncoder encoder(table, parameters, c.encoder(), dropout, autograd::purpose::dropout);
  encoder.plan(tape, all);
  encoder.pack(Team());
  AlignedBuffer<float> h(all.rows() * nn::row_stride(c.d_model));
  encoder.project({.table = &table,
                   .files = {0, all.count},
                   .steps = all.steps,
                   .training = true,
                   .seed = seed,
                   .epoch = 0xffffffff},
                  data.emb.data(), h.data());
  return h;
}

}  // namespace detail

/// `state` with each prototype whose class has a positive window (label above ½) replaced by the unit vector
/// along the mean of input_proj over those windows, without position or metadata and with dropout on, as the
/// reference has it. Of a class' several prototypes the n-th has every n-th of its windows; one that gets
/// none stays. `data` must be valid.
inline nn::StateDict start_prototypes(nn::StateDict state, const heads::ProtoSsmConfig& c,
                                      const ProtoSsmData& data, float dropout, std::uint64_t seed) {
  const AlignedBuffer<float> h = detail::project_windows(state, c, data, dropout, seed);
  const std::size_t d = c.d_model, stride = nn::row_stride(d);
  const auto before = tensor_values(state, "prototypes");
  std::vector<float> prototypes(before.begin(), before.end());
  for (std::size_t j = 0; j < c.prototypes(); ++j) {
    const std::size_t k = j / c.n_prototypes;
    std::vector<double> mean(d);
    double count = 0, squares = 0;
    std::size_t positives = 0;
    for (std::size_t r = 0; r < data.files * data.steps; ++r)
      if (data.labels[r * c.n_classes + k] > 0.5f && positives++ % c.n_prototypes == j % c.n_prototypes) {
        for (std::size_t i = 0; i < d; ++i) mean[i] += double{h[r * stride + i]};
        ++count;
      }
    if (count == 0) continue;
    for (double& x : mean) x /= count, squares += x * x;
    for (std::size_t i = 0; i < d; ++i)
      prototypes[j * d + i] = static_cast<float>(mean[i] / std::max(std::sqrt(squares), 1e-12));
  }
  Tensor& tensor = state.at("prototypes");
  tensor = make_tensor(tensor.shape, std::move(prototypes));
  return state;
}

}  // namespace pantanal::train
