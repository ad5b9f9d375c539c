// TemporalCrossAttention with its backward: a pre-norm attention block over the windows of a file.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "pantanal/autograd/feed_forward.hpp"
#include "pantanal/autograd/layer_norm.hpp"
#include "pantanal/autograd/multihead_attention.hpp"

namespace pantanal::autograd {

/// x₁ = x + attn(norm(x));  y = x₁ + ffn(norm2(x₁)). Dropout of attn's weights draws from stream `purpose`,
/// the two of ffn from the next two.
class TemporalCrossAttention {
 public:
  TemporalCrossAttention(const kernels::KernelTable& table, ParameterSet& parameters,
                         const std::string& prefix, std::size_t d, std::size_t heads, float dropout,
                         std::uint32_t purpose)
      : d_(d),
        stride_(nn::row_stride(d)),
        attn_(table, parameters, prefix + ".attn", d, heads, dropout, purpose),
        norm_(table, parameters, prefix + ".norm"),
        ffn_(table, parameters, prefix + ".ffn", d, 2 * d, dropout, purpose + 1),
        norm2_(table, parameters, prefix + ".norm2") {}

  void plan(Tape& tape, nn::Sequences most) {
    attn_.plan(tape, most), norm_.plan(tape, most), ffn_.plan(tape, most), norm2_.plan(tape, most);
    for (Slot* slot : {&normed_, &middle_, &normed2_, &dnormed_, &dmiddle_, &dnormed2_})
      *slot = tape.take(most.rows(), d_);
  }

  std::size_t scratch_size(nn::Sequences pass) const { return attn_.scratch_size(pass); }

  void pack(const Team& team) { attn_.pack(team), ffn_.pack(team); }

  /// x -> y, both [rows, row_stride(d)], not the same.
  void forward(const Pass& pass, const float* x, float* y) const {
    norm_.forward(pass, x, pass.in(normed_));
    attn_.forward(pass, pass.in(normed_), pass.in(middle_), x);
    norm2_.forward(pass, pass.in(middle_), pass.in(normed2_));
    ffn_.forward(pass, pass.in(normed2_), y, pass.in(middle_));
  }

  /// x as there, dy -> dx.
  void backward(const Pass& pass, const float* x, const float* dy, float* dx) const {
    const std::size_t size = pass.rows() * stride_;
    float* dmiddle = pass.in(dmiddle_);
    ffn_.backward(pass, dy, pass.in(dnormed2_));
    norm2_.backward(pass, pass.in(middle_), pass.in(dnormed2_), dmiddle);
    for (std::size_t i = 0; i < size; ++i) dmiddle[i] += dy[i];
    attn_.backward(pass, dmiddle, pass.in(dnormed_));
    norm_.backward(pass, x, pass.in(dnormed_), dx);
    for (std::size_t i = 0; i < size; ++i) dx[i] += dmiddle[i];
  }

  /// This member's share, over all rows of a batch; x the whole batch's.
  void weight_gradient(const Team& team, const float* x, std::size_t rows) const {
    attn_.weight_gradient(team, normed_.data, dmiddle_.data, rows);
    norm_.weight_gradient(team, x, dnormed_.data, rows);
    ffn_.weight_gradient(team, normed2_.data, rows);
    norm2_.weight_gradient(team, middle_.data, dnormed2_.data, rows);
  }

 private:
  std::size_t d_, stride_;
  MultiheadAttention attn_;
  LayerNorm norm_;
  FeedForward ffn_;
  LayerNorm norm2_;
  Slot normed_, middle_, normed2_, dnormed_, dmiddle_, dnormed2_;
};

}  // namespace pantanal::autograd
