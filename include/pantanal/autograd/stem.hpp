// The stem's convolution, from the one-channel spectrogram, with its weights' gradient.
#pragma once

#include <algorithm>
#include <cstddef>

#include "pantanal/autograd/folded_batch_norm.hpp"
#include "pantanal/autograd/image.hpp"
#include "pantanal/autograd/linear.hpp"

namespace pantanal::autograd {

/// y = act(scale·(weight∗spectrogram) + bias), zeros outside;  with ds = dy·act' and the patches that the
/// kernel sees as rows, dV = dsᵀ·patches. Nothing is before the stem: the spectrogram gets no gradient.
class StemConv {
 public:
  /// stem.weight [channels, 1, kernel, kernel], stem.scale, stem.bias.
  StemConv(const kernels::KernelTable& table, ParameterSet& parameters, const perch::Stem& stem,
           perch::Extent spectrogram)
      : conv_(stem.conv),
        input_(spectrogram),
        output_{stem.conv.output(spectrogram), stem.channels},
        norm_(parameters, "stem"),
        linear_(table, {{norm_.weight(), norm_.bias()}}, stem.conv.kernel * stem.conv.kernel),
        activation_(table, stem.activation) {}

  const ImageShape& output() const { return output_; }
  std::size_t input_floats() const { return input_.positions(); }

  /// What the convolution gave before its nonlinearity.
  const Slot& sum() const { return sum_; }

  void plan(Tape& tape, std::size_t images) {
    patches_ = tape.take(images * output_.positions(), linear_.in_features());
    sum_ = output_.take(tape, images), dsum_ = output_.take(tape, images);
  }

  void fold(const Team& team) { norm_.fold(team); }
  void pack(const Team& team) { linear_.pack(team); }

  /// Spectrograms [H, W] of this pass's files -> y.
  void forward(const Pass& pass, const float* spectrograms, float* y) const {
    const Pass pixels = at_positions(pass, output_.positions());
    for (std::size_t i = 0; i < pass.files.size(); ++i)
      gather_patches(spectrograms + i * input_.positions(),
                     pixels.in(patches_) + i * output_.positions() * patches_.stride);
    linear_.forward(pixels, pixels.in(patches_), patches_.stride, pixels.in(sum_));
    activation_.forward(pixels.in(sum_), y, pass.files.size() * output_.floats());
  }

  void backward(const Pass& pass, const float* dy) const {
    const Pass pixels = at_positions(pass, output_.positions());
    const std::size_t floats = pass.files.size() * output_.floats();
    std::copy_n(dy, floats, pixels.in(dsum_));
    activation_.backward(pixels.in(sum_), pixels.in(dsum_), floats);
  }

  /// This member's share, over all `images` of a batch; unfold() follows.
  void weight_gradient(const Team& team, std::size_t images) const {
    linear_.weight_gradient(team, patches_.data, patches_.stride, dsum_.data, dsum_.stride,
                            images * output_.positions());
  }
  void unfold(const Team& team) const { norm_.weight_gradient(team); }

 private:
  void gather_patches(const float* spectrogram, float* patches) const {
    for (std::size_t p = 0; p < output_.positions(); ++p, patches += patches_.stride)
      for (std::size_t t = 0; t < conv_.kernel * conv_.kernel; ++t) {
        const std::size_t row = p / output_.extent.width * conv_.stride + t / conv_.kernel - conv_.pads.top,
                          column =
                              p % output_.extent.width * conv_.stride + t % conv_.kernel - conv_.pads.left;
        const bool inside = row < input_.height && column < input_.width;  // negative ones wrap to huge
        patches[t] = inside ? spectrogram[row * input_.width + column] : 0.0f;
      }
  }

  perch::ConvGeometry conv_;
  perch::Extent input_;
  ImageShape output_;
  FoldedBatchNorm norm_;
  Linear linear_;
  Nonlinearity activation_;
  Slot patches_, sum_, dsum_;
};

}  // namespace pantanal::autograd
