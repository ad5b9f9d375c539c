// BidirectionalSsm with its backward: scans in both directions of time, merged, dropped out, normed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "pantanal/autograd/dropout.hpp"
#include "pantanal/autograd/layer_norm.hpp"
#include "pantanal/autograd/linear.hpp"
#include "pantanal/autograd/selective_ssm.hpp"

namespace pantanal::autograd {

/// y = norm(dropout(merge([fwd(x), flip(bwd(flip(x)))])) + x), nn::BidirectionalSsm with the dropout of
/// training.
class BidirectionalSsm {
 public:
  BidirectionalSsm(const kernels::KernelTable& table, ParameterSet& parameters, const std::string& suffix,
                   const nn::SelectiveSsmConfig& c, float dropout, std::uint32_t purpose)
      : d_(c.d_model),
        stride_(nn::row_stride(c.d_model)),
        fwd_(table, parameters, "ssm_fwd" + suffix, c),
        bwd_(table, parameters, "ssm_bwd" + suffix, c),
        merge_(table, parameters, "ssm_merge" + suffix, 2 * c.d_model),
        norm_(table, parameters, "ssm_norm" + suffix),
        dropout_(dropout, purpose) {}

  void plan(Tape& tape, nn::Sequences most) {
    fwd_.plan(tape, most), bwd_.plan(tape, most), norm_.plan(tape, most);
    dropout_.plan(tape, most.rows(), d_);
    both_ = tape.take(most.rows(), 2 * d_);
    for (Slot* slot : {&sum_, &dmerged_}) *slot = tape.take(most.rows(), d_);
  }

  std::size_t scratch_size(nn::Sequences pass) const {
    return nn::Scratch::size_of(pass.rows() * both_stride()) + fwd_.scratch_size(pass.steps);
  }

  void pack(const Team& team) { fwd_.pack(team), bwd_.pack(team), merge_.pack(team); }

  /// x -> y, both [rows, row_stride(d)], not the same.
  void forward(const Pass& pass, const float* x, float* y) const {
    float *both = pass.in(both_), *sum = pass.in(sum_);
    fwd_.forward(pass, x, nn::Direction::forwards, both, both_.stride);
    bwd_.forward(pass, x, nn::Direction::backwards, both + d_, both_.stride);
    merge_.forward(pass, both, both_.stride, sum);
    dropout_.forward(pass, pass.first_row(), pass.rows(), sum, stride_);
    for (std::size_t i = 0; i < pass.rows() * stride_; ++i) sum[i] += x[i];
    norm_.forward(pass, sum, y);
  }

  /// x as there, dy -> dx.
  void backward(const Pass& pass, const float* x, const float* dy, float* dx) const {
    Pass inner = pass;
    float* dboth = inner.scratch.take(pass.rows() * both_stride());
    float* dmerged = pass.in(dmerged_);
    norm_.backward(pass, pass.in(sum_), dy, dx);
    std::copy_n(dx, pass.rows() * stride_, dmerged);
    dropout_.backward(pass, pass.first_row(), pass.rows(), dmerged, stride_);
    merge_.backward(pass, dmerged, stride_, dboth, both_stride());
    fwd_.backward(inner, x, nn::Direction::forwards, dboth, both_stride(), dx);
    bwd_.backward(inner, x, nn::Direction::backwards, dboth + d_, both_stride(), dx);
  }

  /// This member's share, over all files of a batch; x and dy the whole batch's.
  void weight_gradient(const Team& team, nn::Sequences sequences, const float* x, const float* dy) {
    fwd_.weight_gradient(team, sequences, x, nn::Direction::forwards);
    bwd_.weight_gradient(team, sequences, x, nn::Direction::backwards);
    merge_.weight_gradient(team, both_.data, both_.stride, dmerged_.data, stride_, sequences.rows());
    norm_.weight_gradient(team, sum_.data, dy, sequences.rows());
  }

 private:
  std::size_t both_stride() const { return nn::row_stride(2 * d_); }

  std::size_t d_, stride_;
  SelectiveSsm fwd_, bwd_;
  Linear merge_;
  LayerNorm norm_;
  Dropout dropout_;
  Slot both_, sum_, dmerged_;
};

}  // namespace pantanal::autograd
