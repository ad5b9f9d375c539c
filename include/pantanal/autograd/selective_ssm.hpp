// SelectiveSsm with its backward, in the notebook's form.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <string>

#include "pantanal/autograd/causal_conv1d.hpp"
#include "pantanal/autograd/linear.hpp"
#include "pantanal/autograd/parameters.hpp"
#include "pantanal/autograd/tape.hpp"
#include "pantanal/nn/activations.hpp"
#include "pantanal/nn/selective_ssm.hpp"

namespace pantanal::autograd {

/// nn::SelectiveSsm as the reference trains it: the input drives the scan, z and out_proj have no effect. The
/// half of in_proj that makes z so has gradients of zero (it is decayed), out_proj has none (it is left
/// alone). Backwards in the order of the forward: the scan (kernels::SelectiveScanBackwardArgs), softplus,
/// the three projections of x_conv, the convolution, in_proj.
class SelectiveSsm {
 public:
  SelectiveSsm(const kernels::KernelTable& table, ParameterSet& parameters, const std::string& prefix,
               const nn::SelectiveSsmConfig& c)
      : table_(&table),
        d_(c.d_model),
        n_(c.d_state),
        stride_(nn::row_stride(c.d_model)),
        in_proj_(table, {{half(parameters[prefix + ".in_proj.weight"], c.d_model), {}}}, c.d_model),
        conv1d_(table, parameters, prefix + ".conv1d", c.d_model, c.d_conv),
        projections_(table,
                     {{parameters[prefix + ".dt_proj.weight"], parameters[prefix + ".dt_proj.bias"]},
                      {parameters[prefix + ".B_proj.weight"], {}},
                      {parameters[prefix + ".C_proj.weight"], {}}},
                     c.d_model),
        a_log_(parameters[prefix + ".A_log"]),
        skip_(parameters[prefix + ".D"]),
        decay_(c.d_state * stride_) {
    parameters.set_kind(prefix + ".in_proj.weight", GradientKind::zero, c.d_model * c.d_model);
    parameters.set_kind(prefix + ".out_proj.weight", GradientKind::none);
  }

  void plan(Tape& tape, nn::Sequences most) {
    const std::size_t rows = most.rows();
    for (Slot* slot : {&x_ssm_, &x_conv_, &dt_, &dsum_, &dx_ssm_}) *slot = tape.take(rows, d_);
    for (Slot* slot : {&projected_, &dprojected_}) *slot = tape.take(rows, projections_.out_features());
    da_ = tape.take(most.count * n_, d_), dskip_ = tape.take(most.count, d_);
  }

  std::size_t scratch_size(std::size_t steps) const {
    return nn::Scratch::size_of(kernels::scan_backward_scratch(steps, d_, n_));
  }

  /// This member's share of reading the parameters.
  void pack(const Team& team) {
    in_proj_.pack(team), conv1d_.pack(team), projections_.pack(team);
    const Range mine = team.share(d_, ops::channel_padding);
    for (std::size_t c = mine.begin; c < mine.end; ++c)
      for (std::size_t n = 0; n < n_; ++n)
        decay_[n * stride_ + c] = -std::exp(a_log_.value[c * n_ + n]) * std::numbers::log2e_v<float>;
  }

  /// x [rows, row_stride(d)] -> y [rows, y_stride], of which exactly d columns are stored.
  void forward(const Pass& pass, const float* x, nn::Direction direction, float* y,
               std::size_t y_stride) const {
    in_proj_.forward(pass, x, stride_, pass.in(x_ssm_));
    conv1d_.forward(pass, pass.in(x_ssm_), direction, pass.in(x_conv_));
    projections_.forward(pass, pass.in(x_conv_), stride_, pass.in(projected_));
    for (std::size_t r = 0; r < pass.rows(); ++r)
      std::copy_n(pass.in(projected_) + r * projected_.stride, d_, pass.in(dt_) + r * stride_);
    nn::softplus(*table_, pass.in(dt_), pass.rows(), stride_, d_);
    const std::ptrdiff_t sign = direction == nn::Direction::forwards ? 1 : -1;
    for (std::size_t i = 0; i < pass.files.size(); ++i) {
      const std::size_t first = first_step(pass, i, direction);
      const float* weights = pass.in(projected_) + first * projected_.stride + d_;
      table_->selective_scan({.u = x + first * stride_,
                              .u_stride = sign * signed_size(stride_),
                              .dt = pass.in(dt_) + first * stride_,
                              .dt_stride = sign * signed_size(stride_),
                              .decay = decay_.data(),
                              .decay_stride = stride_,
                              .b = weights,
                              .b_stride = sign * signed_size(projected_.stride),
                              .c = weights + n_,
                              .c_stride = sign * signed_size(projected_.stride),
                              .skip = skip_.value.data(),
                              .output = y + first * y_stride,
                              .output_stride = sign * signed_size(y_stride),
                              .steps = pass.steps,
                              .channels = d_,
                              .states = n_});
    }
  }

  /// x as there, dy [rows, dy_stride] -> added to dx [rows, row_stride(d)].
  void backward(const Pass& pass, const float* x, nn::Direction direction, const float* dy,
                std::size_t dy_stride, float* dx) const {
    for (std::size_t i = 0; i < pass.files.size(); ++i)
      scan_backward(pass, i, x, direction, dy, dy_stride, dx);
    table_->map_backward(kernels::Function::softplus, pass.in(projected_), pass.in(dprojected_), pass.rows(),
                         dprojected_.stride, d_);
    projections_.backward(pass, pass.in(dprojected_), dprojected_.stride, pass.in(dsum_), stride_);
    conv1d_.backward(pass, pass.in(x_ssm_), direction, pass.in(dsum_), pass.in(dx_ssm_));
    in_proj_.backward(pass, pass.in(dx_ssm_), stride_, dx, stride_, true);
  }

  /// This member's share, over all files of a batch; x the input's slot.
  void weight_gradient(const Team& team, nn::Sequences sequences, const float* x, nn::Direction direction) {
    const std::size_t rows = sequences.rows();
    in_proj_.weight_gradient(team, x, stride_, dx_ssm_.data, stride_, rows);
    conv1d_.weight_gradient(team, sequences, x_ssm_.data, direction, dsum_.data);
    projections_.weight_gradient(team, x_conv_.data, stride_, dprojected_.data, dprojected_.stride, rows);
    const Range mine = team.share(d_, ops::channel_padding);
    if (mine.size() == 0) return;
    table_->mean_rows(dskip_.data + mine.begin, sequences.count, stride_, mine.size(), 1.0f,
                      skip_.gradient.data() + mine.begin);
    for (std::size_t n = 0; n < n_; ++n) {
      float* sum = da_.data + n * stride_ + mine.begin;  // file 0's place takes the sum
      table_->mean_rows(sum, sequences.count, n_ * stride_, mine.size(), 1.0f, sum);
      for (std::size_t c = 0; c < mine.size(); ++c) {
        const std::size_t at = (mine.begin + c) * n_ + n;
        a_log_.gradient[at] = sum[c] * -std::exp(a_log_.value[at]);
      }
    }
  }

 private:
  static Parameter half(Parameter in_proj, std::size_t d) {
    return {in_proj.value.first(d * d), in_proj.gradient.first(d * d)};
  }
  static std::ptrdiff_t signed_size(std::size_t n) { return static_cast<std::ptrdiff_t>(n); }
  static std::size_t first_step(const Pass& pass, std::size_t i, nn::Direction direction) {
    return i * pass.steps + (direction == nn::Direction::forwards ? 0 : pass.steps - 1);
  }

  void scan_backward(const Pass& pass, std::size_t i, const float* x, nn::Direction direction,
                     const float* dy, std::size_t dy_stride, float* dx) const {
    const std::size_t first = first_step(pass, i, direction), file = pass.files.begin + i;
    const std::ptrdiff_t sign = direction == nn::Direction::forwards ? 1 : -1;
    nn::Scratch scratch = pass.scratch;
    kernels::SelectiveScanBackwardArgs a;
    a.u = x + first * stride_, a.dt = pass.in(dt_) + first * stride_, a.dy = dy + first * dy_stride;
    a.u_stride = a.dt_stride = a.du_stride = sign * signed_size(stride_);
    a.dy_stride = sign * signed_size(dy_stride);
    a.decay = decay_.data(), a.decay_stride = stride_;
    a.b = pass.in(projected_) + first * projected_.stride + d_, a.c = a.b + n_;
    a.b_stride = a.c_stride = sign * signed_size(projected_.stride);
    a.skip = skip_.value.data();
    a.du = dx + first * stride_, a.accumulate_du = true;
    a.ddt = pass.in(dprojected_) + first * dprojected_.stride, a.db = a.ddt + d_, a.dc = a.db + n_;
    a.ddt_stride = a.db_stride = a.dc_stride = sign * signed_size(dprojected_.stride);
    a.da = da_.row(file * n_), a.da_stride = stride_, a.dskip = dskip_.row(file);
    a.scratch = scratch.take(scratch_size(pass.steps));
    a.steps = pass.steps, a.channels = d_, a.states = n_;
    table_->selective_scan_backward(a);
  }

  const kernels::KernelTable* table_;
  std::size_t d_, n_, stride_;
  Linear in_proj_;
  CausalConv1d conv1d_;
  Linear projections_;  ///< dt_proj, B_proj, C_proj
  Parameter a_log_, skip_;
  AlignedBuffer<float> decay_;            ///< -e^A_log·log2(e), [states][stride]
  Slot x_ssm_, x_conv_, dt_, projected_;  ///< projected: dt before softplus, B, C
  Slot dprojected_, dsum_, dx_ssm_;       ///< dsum: before the convolution's activation
  Slot da_, dskip_;                       ///< per file, [states] rows and one
};

}  // namespace pantanal::autograd
