// TemporalCrossAttention: a pre-norm attention block over the windows of a file.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include "pantanal/core/tensor.hpp"
#include "pantanal/nn/feed_forward.hpp"
#include "pantanal/nn/layer_norm.hpp"
#include "pantanal/nn/multihead_attention.hpp"

namespace pantanal::nn {

/// x <- x + attn(norm(x)); x <- x + ffn(norm2(x)), x [sequences, T, d]. Despite the name that checkpoints
/// carry it is self-attention. Parameters: attn (MultiheadAttention), norm, norm2 (LayerNorm), ffn
/// (FeedForward d -> 2d -> d).
class TemporalCrossAttention {
 public:
  static void require(TensorList& list, const std::string& prefix, std::size_t d) {
    MultiheadAttention::require(list, parameter_name(prefix, "attn"), d);
    LayerNorm::require(list, parameter_name(prefix, "norm"), d);
    FeedForward::require(list, parameter_name(prefix, "ffn"), d, 2 * d);
    LayerNorm::require(list, parameter_name(prefix, "norm2"), d);
  }

  TemporalCrossAttention(const kernels::KernelTable& table, const StateDict& state, const std::string& prefix,
                         std::size_t d, std::size_t heads)
      : d_(d),
        attn_(table, state, parameter_name(prefix, "attn"), d, heads),
        norm_(table, state, parameter_name(prefix, "norm")),
        ffn_(table, state, parameter_name(prefix, "ffn"), d, 2 * d),
        norm2_(table, state, parameter_name(prefix, "norm2")) {}

  std::size_t scratch_size(std::size_t rows, std::size_t steps) const {
    return Scratch::size_of(rows * row_stride(d_)) +
           std::max(attn_.scratch_size(rows, steps), ffn_.scratch_size(rows));
  }

  /// In place on x [rows, row_stride(d)].
  void run(float* x, Sequences sequences, Scratch scratch) const {
    const std::size_t rows = sequences.rows();
    float* normed = scratch.take(rows * row_stride(d_));
    norm_.run(x, rows, normed);
    attn_.run(normed, sequences, x, x, scratch);
    norm2_.run(x, rows, normed);
    ffn_.run(normed, rows, x, x, scratch);
  }

 private:
  std::size_t d_;
  MultiheadAttention attn_;
  LayerNorm norm_;
  FeedForward ffn_;
  LayerNorm norm2_;
};

}  // namespace pantanal::nn
