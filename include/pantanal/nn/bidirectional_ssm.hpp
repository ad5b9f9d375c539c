// BidirectionalSsm: one selective state space layer in each direction of time, merged.
#pragma once

#include <cstddef>
#include <string>

#include "pantanal/core/tensor.hpp"
#include "pantanal/nn/layer_norm.hpp"
#include "pantanal/nn/linear.hpp"
#include "pantanal/nn/selective_ssm.hpp"

namespace pantanal::nn {

/// x <- norm(merge([fwd(x), flip(bwd(flip(x)))]) + x), x [sequences, T, d].
/// Parameters, with SUFFIX as ".0" in a list of layers or empty: ssm_fwd, ssm_bwd (SelectiveSsm), ssm_merge
/// (Linear 2d
/// -> d), ssm_norm (LayerNorm d).
class BidirectionalSsm {
 public:
  static void require(TensorList& list, const std::string& suffix, const SelectiveSsmConfig& c) {
    SelectiveSsm::require(list, "ssm_fwd" + suffix, c);
    SelectiveSsm::require(list, "ssm_bwd" + suffix, c);
    Linear::require(list, "ssm_merge" + suffix, 2 * c.d_model, c.d_model);
    LayerNorm::require(list, "ssm_norm" + suffix, c.d_model);
  }

  BidirectionalSsm(const kernels::KernelTable& table, const StateDict& state, const std::string& suffix,
                   const SelectiveSsmConfig& c)
      : d_(c.d_model),
        fwd_(table, state, "ssm_fwd" + suffix, c),
        bwd_(table, state, "ssm_bwd" + suffix, c),
        merge_(table, state, "ssm_merge" + suffix, 2 * c.d_model, c.d_model),
        norm_(table, state, "ssm_norm" + suffix) {}

  std::size_t scratch_size(std::size_t rows) const {
    return Scratch::size_of(rows * row_stride(2 * d_)) + fwd_.scratch_size(rows);
  }

  /// In place on x [rows, row_stride(d)].
  void run(float* x, Sequences sequences, Scratch scratch) const {
    const std::size_t stride = row_stride(2 * d_), rows = sequences.rows();
    float* both = scratch.take(rows * stride);
    fwd_.run(x, sequences, Direction::forwards, both, stride, scratch);
    bwd_.run(x, sequences, Direction::backwards, both + d_, stride, scratch);
    merge_.run(both, stride, rows, x, x);
    norm_.run(x, rows, x);
  }

 private:
  std::size_t d_;
  SelectiveSsm fwd_, bwd_;
  Linear merge_;
  LayerNorm norm_;
};

}  // namespace pantanal::nn
