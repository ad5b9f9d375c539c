// FoldedBatchNorm: a convolution's weight with the scale of the BatchNorm that followed it.
#pragma once

#include <cstddef>
#include <string>

#include "pantanal/autograd/parameters.hpp"
#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/parallel.hpp"

namespace pantanal::autograd {

/// BatchNorm of fixed statistics after a convolution is a scale and a shift per channel: scale_c·(W_c∗x) +
/// bias_c = (scale_c·W_c)∗x + bias_c. So the convolution computes with V = scale ⊙ W (row c of W times
/// scale_c) and its own bias, and with dV the gradient that it leaves, dW_c = scale_c·dV_c, dscale_c =
/// ⟨W_c, dV_c⟩. Source: Ioffe and Szegedy 2015, "Batch Normalization", arXiv:1502.03167, section 3.1.
class FoldedBatchNorm {
 public:
  /// PREFIX.weight [channels, …], PREFIX.scale and PREFIX.bias [channels].
  FoldedBatchNorm(ParameterSet& parameters, const std::string& prefix)
      : weight_(parameters[prefix + ".weight"]),
        scale_(parameters[prefix + ".scale"]),
        bias_(parameters[prefix + ".bias"]),
        value_(weight_.value.size()),
        gradient_(weight_.value.size()) {}

  std::size_t channels() const { return scale_.value.size(); }
  /// V, for the convolution to read and to leave its gradient in.
  Parameter weight() { return {value_.span(), gradient_.span()}; }
  Parameter bias() const { return bias_; }

  /// This member's share of V. The team waits before it is read.
  void fold(const Team& team) {
    const std::size_t fan_in = value_.size() / channels();
    const Range mine = team.share(channels());
    for (std::size_t i = mine.begin * fan_in; i < mine.end * fan_in; ++i)
      value_[i] = scale_.value[i / fan_in] * weight_.value[i];
  }

  /// This member's share of dW and dscale, when all of dV is there.
  void weight_gradient(const Team& team) const {
    const std::size_t fan_in = value_.size() / channels();
    const Range mine = team.share(channels());
    for (std::size_t c = mine.begin; c < mine.end; ++c) {
      double dscale = 0;
      for (std::size_t i = c * fan_in; i < (c + 1) * fan_in; ++i) {
        weight_.gradient[i] = scale_.value[c] * gradient_[i];
        dscale += double{weight_.value[i]} * double{gradient_[i]};
      }
      scale_.gradient[c] = static_cast<float>(dscale);
    }
  }

 private:
  Parameter weight_, scale_, bias_;
  AlignedBuffer<float> value_, gradient_;
};

}  // namespace pantanal::autograd
