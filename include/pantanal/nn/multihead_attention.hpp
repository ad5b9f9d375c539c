// MultiheadAttention: PyTorch's nn.MultiheadAttention as self-attention over each sequence.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

#include "pantanal/core/tensor.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/nn/linear.hpp"
#include "pantanal/nn/rows.hpp"
#include "pantanal/nn/state_dict.hpp"

namespace pantanal::nn {

/// y = out_proj(concat over heads of softmax(Q·Kᵀ/√(d/heads))·V) (+ residual), [Q K V] = in_proj(x); x
/// [sequences, T, d]. Parameters: in_proj_weight [3d, d], in_proj_bias [3d], out_proj.weight [d, d],
/// out_proj.bias [d]; d must be a multiple of heads. Source: Vaswani et al. 2017, "Attention Is All You
/// Need", arXiv:1706.03762.
class MultiheadAttention {
 public:
  static void require(TensorList& list, const std::string& prefix, std::size_t d) {
    list.add(parameter_name(prefix, "in_proj_weight"), {3 * d, d});
    list.add(parameter_name(prefix, "in_proj_bias"), {3 * d});
    Linear::require(list, parameter_name(prefix, "out_proj"), d, d);
  }

  MultiheadAttention(const kernels::KernelTable& table, const StateDict& state, const std::string& prefix,
                     std::size_t d, std::size_t heads)
      : table_(&table),
        d_(d),
        heads_(heads),
        in_proj_(table, tensor_values(state, parameter_name(prefix, "in_proj_weight")),
                 tensor_values(state, parameter_name(prefix, "in_proj_bias")), d, 3 * d),
        out_proj_(table, state, parameter_name(prefix, "out_proj"), d, d),
        zeros_(row_stride(d)) {}

  /// Floats of scratch for `rows` rows in sequences of up to `steps`.
  std::size_t scratch_size(std::size_t rows, std::size_t steps) const {
    const std::size_t keys = row_stride(steps), width = row_stride(d_ / heads_);
    return Scratch::size_of(rows * in_proj_.output_stride()) + Scratch::size_of(rows * row_stride(d_)) +
           Scratch::size_of(keys * (d_ / heads_)) + Scratch::size_of(steps * width) +
           Scratch::size_of(steps * keys) + Scratch::size_of(steps * width) + Scratch::size_of(keys);
  }

  /// x [rows, row_stride(d)] -> y of the same layout; `residual`, of the same layout, is added and may be y.
  void run(const float* x, Sequences sequences, float* y, const float* residual, Scratch scratch) const {
    const std::size_t rows = sequences.rows();
    float* qkv = scratch.take(rows * in_proj_.output_stride());
    float* heads = scratch.take(rows * row_stride(d_));
    in_proj_.run(x, row_stride(d_), rows, qkv);
    const Workspace workspace(sequences.steps, d_ / heads_, scratch);
    for (std::size_t i = 0; i < sequences.count; ++i)
      for (std::size_t head = 0; head < heads_; ++head)
        attend(qkv + i * sequences.steps * in_proj_.output_stride() + head * (d_ / heads_),
               heads + i * sequences.steps * row_stride(d_) + head * (d_ / heads_), sequences.steps,
               workspace);
    out_proj_.run(heads, row_stride(d_), rows, y, residual);
  }

 private:
  /// One head of one sequence at a time: keys and values as weights for the matrix kernel.
  struct Workspace {
    Workspace(std::size_t steps, std::size_t width, Scratch scratch)
        : keys(scratch.take(row_stride(steps) * width)),
          values(scratch.take(steps * row_stride(width))),
          scores(scratch.take(steps * row_stride(steps))),
          output(scratch.take(steps * row_stride(width))),
          zeros(scratch.take(row_stride(steps))) {
      std::fill_n(zeros, row_stride(steps), 0.0f);
    }
    float *keys, *values, *scores, *output, *zeros;
  };

  /// output = softmax(Q·Kᵀ/√width)·V; Q, K and V d apart in the rows of qkv.
  void attend(const float* qkv, float* output, std::size_t steps, const Workspace& w) const {
    const std::size_t width = d_ / heads_, stride = in_proj_.output_stride();
    ops::pack_columns(*table_, qkv + d_, stride, 1, steps, width, w.keys);
    ops::pack_columns(*table_, qkv + 2 * d_, 1, stride, width, steps, w.values);
    multiply(qkv, stride, w.keys, w.zeros, steps, width, row_stride(steps), w.scores);
    table_->softmax_rows(w.scores, steps, row_stride(steps), steps,
                         1.0f / std::sqrt(static_cast<float>(width)));
    multiply(w.scores, row_stride(steps), w.values, zeros_.data(), steps, steps, row_stride(width), w.output);
    for (std::size_t t = 0; t < steps; ++t)
      std::copy_n(w.output + t * row_stride(width), width, output + t * row_stride(d_));
  }

  void multiply(const float* input, std::size_t stride, const float* weights, const float* bias,
                std::size_t rows, std::size_t depth, std::size_t columns, float* output) const {
    table_->pointwise({.input = input,
                       .input_stride = stride,
                       .weights = weights,
                       .bias = bias,
                       .output = output,
                       .output_stride = columns,
                       .rows = rows,
                       .depth = depth,
                       .padded_columns = columns});
  }

  const kernels::KernelTable* table_;
  std::size_t d_, heads_;
  Linear in_proj_, out_proj_;
  AlignedBuffer<float> zeros_;
};

}  // namespace pantanal::nn
