// MultiheadAttention with its backward: self-attention over each file's rows.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "pantanal/autograd/dropout.hpp"
#include "pantanal/autograd/linear.hpp"

namespace pantanal::autograd {

/// y = out_proj(concat over heads of dropout(P)·V) (+ residual), P = softmax(Q·Kᵀ/√width), [Q K V] =
/// in_proj(x), as nn::MultiheadAttention. Backwards per head, with O = P·V:  dV = Pᵀ·dO,  dP = dO·Vᵀ,  dS =
/// P∘(dP - rowsum(dP∘P))/√width, dQ = dS·K,  dK = dSᵀ·Q.
class MultiheadAttention {
 public:
  MultiheadAttention(const kernels::KernelTable& table, ParameterSet& parameters, const std::string& prefix,
                     std::size_t d, std::size_t heads, float dropout, std::uint32_t purpose)
      : table_(&table),
        d_(d),
        heads_(heads),
        width_(d / heads),
        in_proj_(table, {{parameters[prefix + ".in_proj_weight"], parameters[prefix + ".in_proj_bias"]}}, d),
        out_proj_(table, parameters, prefix + ".out_proj", d),
        dropout_(dropout, purpose) {}

  void plan(Tape& tape, nn::Sequences most) {
    const std::size_t rows = most.rows();
    for (Slot* slot : {&qkv_, &dqkv_}) *slot = tape.take(rows, 3 * d_);
    joined_ = tape.take(rows, d_);
    weights_ = tape.take(rows * heads_, most.steps);
    dropout_.plan(tape, rows * heads_, most.steps);
  }

  std::size_t scratch_size(nn::Sequences pass) const {
    return nn::Scratch::size_of(pass.rows() * nn::row_stride(d_)) +
           nn::Scratch::size_of(width_ * pass.steps) + 2 * nn::Scratch::size_of(pass.steps * weights_.stride);
  }

  void pack(const Team& team) { in_proj_.pack(team), out_proj_.pack(team); }

  /// x [rows, row_stride(d)] -> y of the same layout; `residual`, of the same layout, is added.
  void forward(const Pass& pass, const float* x, float* y, const float* residual) const {
    in_proj_.forward(pass, x, nn::row_stride(d_), pass.in(qkv_));
    nn::Scratch scratch = pass.scratch;
    float* turned = scratch.take(width_ * pass.steps);
    float* dropped = scratch.take(pass.steps * weights_.stride);
    for (std::size_t file = pass.files.begin; file < pass.files.end; ++file)
      for (std::size_t head = 0; head < heads_; ++head) {
        const float* q = head_of(qkv_, file, pass.steps, head);
        const std::size_t row = weights_row(file, pass.steps, head);
        float* p = weights_.row(row);
        transpose(q + d_, pass.steps, turned);
        multiply(q, qkv_.stride, 1, turned, pass.steps, p, weights_.stride, {pass.steps, pass.steps, width_});
        table_->softmax_rows(p, pass.steps, weights_.stride, pass.steps, scale());
        multiply(drop(pass, row, p, dropped, true), weights_.stride, 1, q + 2 * d_, qkv_.stride,
                 head_of(joined_, file, pass.steps, head), joined_.stride, {pass.steps, width_, pass.steps});
      }
    out_proj_.forward(pass, pass.in(joined_), joined_.stride, y, residual);
  }

  /// dy -> dx, both [rows, row_stride(d)].
  void backward(const Pass& pass, const float* dy, float* dx) const {
    nn::Scratch scratch = pass.scratch;
    const std::size_t stride = nn::row_stride(d_);
    float* djoined = scratch.take(pass.rows() * stride);
    float* turned = scratch.take(width_ * pass.steps);
    float* dropped = scratch.take(pass.steps * weights_.stride);
    float* dp = scratch.take(pass.steps * weights_.stride);
    out_proj_.backward(pass, dy, stride, djoined, stride);
    for (std::size_t file = pass.files.begin; file < pass.files.end; ++file)
      for (std::size_t head = 0; head < heads_; ++head)
        head_backward(pass, file, head,
                      djoined + (file - pass.files.begin) * pass.steps * stride + head * width_, turned,
                      dropped, dp);
    in_proj_.backward(pass, pass.in(dqkv_), dqkv_.stride, dx, stride);
  }

  /// This member's share, over all rows of a batch; x and dy the whole batch's.
  void weight_gradient(const Team& team, const float* x, const float* dy, std::size_t rows) const {
    const std::size_t stride = nn::row_stride(d_);
    in_proj_.weight_gradient(team, x, stride, dqkv_.data, dqkv_.stride, rows);
    out_proj_.weight_gradient(team, joined_.data, joined_.stride, dy, stride, rows);
  }

 private:
  struct Extents {
    std::size_t rows, columns, depth;
  };

  float scale() const { return 1 / std::sqrt(static_cast<float>(width_)); }
  float* head_of(const Slot& slot, std::size_t file, std::size_t steps, std::size_t head) const {
    return slot.row(file * steps) + head * width_;
  }
  std::size_t weights_row(std::size_t file, std::size_t steps, std::size_t head) const {
    return (file * heads_ + head) * steps;
  }

  /// [steps, width] of qkv -> [width][steps].
  void transpose(const float* x, std::size_t steps, float* turned) const {
    for (std::size_t t = 0; t < steps; ++t)
      for (std::size_t i = 0; i < width_; ++i) turned[i * steps + t] = x[t * qkv_.stride + i];
  }

  void multiply(const float* a, std::size_t a_row, std::size_t a_depth, const float* b, std::size_t b_stride,
                float* c, std::size_t c_stride, Extents e) const {
    table_->gemm({.a = a,
                  .a_row_stride = a_row,
                  .a_depth_stride = a_depth,
                  .b = b,
                  .b_stride = b_stride,
                  .c = c,
                  .c_stride = c_stride,
                  .rows = e.rows,
                  .columns = e.columns,
                  .depth = e.depth});
  }

  /// p with dropout, in `dropped`, or p itself; the mask is drawn anew in a forward.
  const float* drop(const Pass& pass, std::size_t row, const float* p, float* dropped, bool forward) const {
    if (!dropout_.active(pass)) return p;
    std::copy_n(p, pass.steps * weights_.stride, dropped);
    if (forward)
      dropout_.forward(pass, row, pass.steps, dropped, weights_.stride);
    else
      dropout_.backward(pass, row, pass.steps, dropped, weights_.stride);
    return dropped;
  }

  void head_backward(const Pass& pass, std::size_t file, std::size_t head, const float* dout, float* turned,
                     float* dropped, float* dp) const {
    const std::size_t steps = pass.steps, stride = nn::row_stride(d_), row = weights_row(file, steps, head);
    const float* q = head_of(qkv_, file, steps, head);
    float* dq = head_of(dqkv_, file, steps, head);
    const float* p = weights_.row(row);
    multiply(drop(pass, row, p, dropped, false), 1, weights_.stride, dout, stride, dq + 2 * d_, dqkv_.stride,
             {steps, width_, steps});
    transpose(q + 2 * d_, steps, turned);
    multiply(dout, stride, 1, turned, steps, dp, weights_.stride, {steps, steps, width_});
    dropout_.backward(pass, row, steps, dp, weights_.stride);
    table_->softmax_rows_backward(p, dp, steps, weights_.stride, steps, scale());
    multiply(dp, weights_.stride, 1, q + d_, qkv_.stride, dq, dqkv_.stride, {steps, width_, steps});
    multiply(dp, 1, weights_.stride, q, qkv_.stride, dq + d_, dqkv_.stride, {steps, width_, steps});
  }

  const kernels::KernelTable* table_;
  std::size_t d_, heads_, width_;
  Linear in_proj_, out_proj_;
  Dropout dropout_;
  Slot qkv_, dqkv_, joined_;
  Slot weights_;  ///< P of every file and head, [steps] rows each
};

}  // namespace pantanal::autograd
