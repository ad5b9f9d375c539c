// SelectiveSsm: a selective state space layer over a sequence.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pantanal/core/tensor.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/nn/activations.hpp"
#include "pantanal/nn/causal_conv1d.hpp"
#include "pantanal/nn/linear.hpp"
#include "pantanal/nn/rows.hpp"
#include "pantanal/nn/state_dict.hpp"
#include "pantanal/ops/selective_scan.hpp"

namespace pantanal::nn {

/// What drives the scan and what follows it.
enum class SsmForm {
  notebook,  ///< the scan and the skip are driven by the layer's input; z and out_proj have weights but no
             ///< effect
  mamba,     ///< they are driven by the convolution's output; the result is gated by silu(z) and goes through
             ///< out_proj
};

struct SelectiveSsmConfig {
  std::size_t d_model = 0, d_state = 16, d_conv = 4;
  SsmForm form = SsmForm::notebook;
};

/// [sequences, T, d] -> [sequences, T, d], with d = d_model and N = d_state:
///   x_ssm, z = in_proj(x);  x_conv = silu(conv1d(x_ssm));  u = x (notebook) or x_conv (mamba)
///   dt = softplus(dt_proj(x_conv));  B = B_proj(x_conv);  C = C_proj(x_conv);  A = -exp(A_log)
///   h_t = h_{t-1}·exp(dt_t·A) + u_t·dt_t·B_t;  y_t = Σ_n h_t·C_t + u_t·D
///   notebook: y;  mamba: out_proj(y·silu(z)).
/// Backwards, it is flip(layer(flip(x))) without moving anything.
/// Parameters: in_proj.weight [2d, d], conv1d.weight [d, 1, k], conv1d.bias [d], dt_proj.weight [d, d],
/// dt_proj.bias [d], A_log [d, N], D [d], B_proj.weight, C_proj.weight [N, d], out_proj.weight [d, d].
/// Source: Gu and Dao 2023, "Mamba", arXiv:2312.00752, section 3; dt of full rank.
class SelectiveSsm {
 public:
  static void require(TensorList& list, const std::string& prefix, const SelectiveSsmConfig& c) {
    const auto name = [&](const char* parameter) { return parameter_name(prefix, parameter); };
    Linear::require(list, name("in_proj"), c.d_model, 2 * c.d_model, false);
    CausalConv1d::require(list, name("conv1d"), c.d_model, c.d_conv);
    Linear::require(list, name("dt_proj"), c.d_model, c.d_model);
    list.add(name("A_log"), {c.d_model, c.d_state});
    list.add(name("D"), {c.d_model});
    Linear::require(list, name("B_proj"), c.d_model, c.d_state, false);
    Linear::require(list, name("C_proj"), c.d_model, c.d_state, false);
    Linear::require(list, name("out_proj"), c.d_model, c.d_model, false);
  }

  SelectiveSsm(const kernels::KernelTable& table, const StateDict& state, const std::string& prefix,
               const SelectiveSsmConfig& config)
      : table_(&table),
        config_(config),
        in_proj_(input_half(table, state, prefix, config, 0)),
        conv1d_(table, state, parameter_name(prefix, "conv1d"), config.d_model, config.d_conv),
        parameters_(scan_parameters(table, state, prefix, config)) {
    const std::span<const float> skip = tensor_values(state, parameter_name(prefix, "D")),
                                 a_log = tensor_values(state, parameter_name(prefix, "A_log"));
    skip_.assign(skip.begin(), skip.end());
    std::vector<float> a(a_log.size());
    std::transform(a_log.begin(), a_log.end(), a.begin(), [](float x) { return -std::exp(x); });
    decay_ = ops::pack_decay(a, config.d_model, config.d_state);
    if (config.form == SsmForm::notebook) return;
    z_proj_ = input_half(table, state, prefix, config, 1);
    out_proj_.emplace(table, state, parameter_name(prefix, "out_proj"), config.d_model, config.d_model);
  }

  /// Floats of scratch for `rows` rows.
  std::size_t scratch_size(std::size_t rows) const {
    const std::size_t stride = row_stride(config_.d_model);
    const std::size_t gated = config_.form == SsmForm::mamba ? 2 * Scratch::size_of(rows * stride) : 0;
    return 2 * Scratch::size_of(rows * stride) + Scratch::size_of(rows * parameters_.output_stride()) + gated;
  }

  /// x [rows, row_stride(d)] -> y [rows, y_stride], of which exactly d columns are stored.
  void run(const float* x, Sequences sequences, Direction direction, float* y, std::size_t y_stride,
           Scratch scratch) const {
    const std::size_t d = config_.d_model, stride = row_stride(d), rows = sequences.rows();
    float* x_ssm = scratch.take(rows * stride);
    float* x_conv = scratch.take(rows * stride);
    float* parameters = scratch.take(rows * parameters_.output_stride());
    in_proj_.run(x, stride, rows, x_ssm);
    conv1d_.run(x_ssm, sequences, direction, kernels::Activation::swish, x_conv);
    parameters_.run(x_conv, stride, rows, parameters);
    softplus(*table_, parameters, rows, parameters_.output_stride(), d);
    if (config_.form == SsmForm::notebook) return scan(x, parameters, sequences, direction, y, y_stride);
    float* gated = scratch.take(rows * stride);
    scan(x_conv, parameters, sequences, direction, gated, stride);
    gate_and_project(x, rows, gated, x_ssm, scratch.take(rows * stride), y, y_stride);
  }

 private:
  /// Half 0 (x_ssm) or 1 (z) of in_proj.
  static Linear input_half(const kernels::KernelTable& table, const StateDict& state,
                           const std::string& prefix, const SelectiveSsmConfig& c, std::size_t half) {
    const std::size_t size = c.d_model * c.d_model;
    return Linear(table,
                  tensor_values(state, parameter_name(prefix, "in_proj.weight")).subspan(half * size, size),
                  {}, c.d_model, c.d_model);
  }

  /// dt_proj, B_proj and C_proj as one layer: [d + 2N, d].
  static Linear scan_parameters(const kernels::KernelTable& table, const StateDict& state,
                                const std::string& prefix, const SelectiveSsmConfig& c) {
    std::vector<float> weight, bias;
    for (const char* name : {"dt_proj.weight", "B_proj.weight", "C_proj.weight"}) {
      const std::span<const float> part = tensor_values(state, parameter_name(prefix, name));
      weight.insert(weight.end(), part.begin(), part.end());
    }
    const std::span<const float> dt_bias = tensor_values(state, parameter_name(prefix, "dt_proj.bias"));
    bias.assign(dt_bias.begin(), dt_bias.end());
    bias.resize(c.d_model + 2 * c.d_state);
    return Linear(table, weight, bias, c.d_model, c.d_model + 2 * c.d_state);
  }

  /// u [rows, row_stride(d)], parameters as scan_parameters lays them out.
  void scan(const float* u, const float* parameters, Sequences sequences, Direction direction, float* y,
            std::size_t y_stride) const {
    const std::size_t d = config_.d_model, u_stride = row_stride(d), stride = parameters_.output_stride();
    const std::size_t start = direction == Direction::forwards ? 0 : sequences.steps - 1;
    const std::ptrdiff_t sign = direction == Direction::forwards ? 1 : -1;
    for (std::size_t i = 0; i < sequences.count; ++i) {
      const std::size_t first = i * sequences.steps + start;
      table_->selective_scan({.u = u + first * u_stride,
                              .u_stride = sign * static_cast<std::ptrdiff_t>(u_stride),
                              .dt = parameters + first * stride,
                              .dt_stride = sign * static_cast<std::ptrdiff_t>(stride),
                              .decay = decay_.values.data(),
                              .decay_stride = decay_.stride,
                              .b = parameters + first * stride + d,
                              .b_stride = sign * static_cast<std::ptrdiff_t>(stride),
                              .c = parameters + first * stride + d + config_.d_state,
                              .c_stride = sign * static_cast<std::ptrdiff_t>(stride),
                              .skip = skip_.data(),
                              .output = y + first * y_stride,
                              .output_stride = sign * static_cast<std::ptrdiff_t>(y_stride),
                              .steps = sequences.steps,
                              .channels = d,
                              .states = config_.d_state});
    }
  }

  /// y = out_proj(gated·silu(z_proj(x))).
  void gate_and_project(const float* x, std::size_t rows, float* gated, float* z, float* projected, float* y,
                        std::size_t y_stride) const {
    const std::size_t d = config_.d_model, stride = row_stride(d);
    z_proj_->run(x, stride, rows, z);
    silu(*table_, z, rows, stride, d);
    for (std::size_t i = 0; i < rows * stride; ++i) gated[i] *= z[i];
    out_proj_->run(gated, stride, rows, projected);
    for (std::size_t r = 0; r < rows; ++r) std::copy_n(projected + r * stride, d, y + r * y_stride);
  }

  const kernels::KernelTable* table_;
  SelectiveSsmConfig config_;
  Linear in_proj_;
  CausalConv1d conv1d_;
  Linear parameters_;  ///< dt_proj, B_proj, C_proj
  ops::PackedDecay decay_;
  std::vector<float> skip_;
  std::optional<Linear> z_proj_, out_proj_;  ///< only in the mamba form
};

}  // namespace pantanal::nn
