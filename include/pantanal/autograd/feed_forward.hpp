// FeedForward with its backward: two dense layers with a GELU between them, dropout after each.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "pantanal/autograd/dropout.hpp"
#include "pantanal/autograd/linear.hpp"
#include "pantanal/nn/activations.hpp"

namespace pantanal::autograd {

/// y = dropout(W₂·dropout(gelu(W₁·x + b₁)) + b₂) + residual, nn::FeedForward with the dropouts of training.
/// It draws from two streams: `purpose` and the next.
class FeedForward {
 public:
  FeedForward(const kernels::KernelTable& table, ParameterSet& parameters, const std::string& prefix,
              std::size_t d, std::size_t hidden, float dropout, std::uint32_t purpose)
      : table_(&table),
        first_(table, parameters, prefix + ".0", d),
        second_(table, parameters, prefix + ".3", hidden),
        inner_(dropout, purpose),
        outer_(dropout, purpose + 1) {}

  void plan(Tape& tape, nn::Sequences most) {
    for (Slot* slot : {&before_, &hidden_, &dbefore_}) *slot = tape.take(most.rows(), first_.out_features());
    dout_ = tape.take(most.rows(), second_.out_features());
    inner_.plan(tape, most.rows(), first_.out_features());
    outer_.plan(tape, most.rows(), second_.out_features());
  }

  void pack(const Team& team) { first_.pack(team), second_.pack(team); }

  /// x and residual [rows, row_stride(d)] -> y of the same layout.
  void forward(const Pass& pass, const float* x, float* y, const float* residual) const {
    const std::size_t rows = pass.rows(), stride = hidden_.stride, out = dout_.stride;
    float *before = pass.in(before_), *hidden = pass.in(hidden_);
    first_.forward(pass, x, nn::row_stride(first_.in_features()), before);
    std::copy_n(before, rows * stride, hidden);
    nn::gelu(*table_, hidden, rows, stride, first_.out_features());
    inner_.forward(pass, pass.first_row(), rows, hidden, stride);
    second_.forward(pass, hidden, stride, y);
    outer_.forward(pass, pass.first_row(), rows, y, out);
    for (std::size_t i = 0; i < rows * out; ++i) y[i] += residual[i];
  }

  /// dy -> dx, both [rows, row_stride(d)]; the residual's gradient is dy.
  void backward(const Pass& pass, const float* dy, float* dx) const {
    const std::size_t rows = pass.rows(), stride = hidden_.stride;
    float *dbefore = pass.in(dbefore_), *dout = pass.in(dout_);
    std::copy_n(dy, rows * dout_.stride, dout);
    outer_.backward(pass, pass.first_row(), rows, dout, dout_.stride);
    second_.backward(pass, dout, dout_.stride, dbefore, stride);
    inner_.backward(pass, pass.first_row(), rows, dbefore, stride);
    table_->map_backward(kernels::Function::gelu, pass.in(before_), dbefore, rows, stride,
                         first_.out_features());
    first_.backward(pass, dbefore, stride, dx, nn::row_stride(first_.in_features()));
  }

  /// This member's share, over all rows of a batch; x the whole batch's.
  void weight_gradient(const Team& team, const float* x, std::size_t rows) const {
    first_.weight_gradient(team, x, nn::row_stride(first_.in_features()), dbefore_.data, dbefore_.stride,
                           rows);
    second_.weight_gradient(team, hidden_.data, hidden_.stride, dout_.data, dout_.stride, rows);
  }

 private:
  const kernels::KernelTable* table_;
  Linear first_, second_;
  Dropout inner_, outer_;
  Slot before_, hidden_;  ///< before and after the GELU and its dropout
  Slot dbefore_, dout_;
};

}  // namespace pantanal::autograd
