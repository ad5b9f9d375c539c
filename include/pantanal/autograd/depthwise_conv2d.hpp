// DepthwiseConv2d with its backward.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "pantanal/autograd/image.hpp"
#include "pantanal/autograd/parameters.hpp"
#include "pantanal/core/aligned_buffer.hpp"

namespace pantanal::autograd {

/// y[h][w] = bias + Σ_ij weight[i][j]·x[h·s+i-top][w·s+j-left] channel by channel, zeros outside;  dx is the
/// transpose of that,  dweight[i][j] = Σ_hw dy[h][w]·x[h·s+i-top][w·s+j-left],  dbias = Σ_hw dy.
class DepthwiseConv2d {
 public:
  /// weight [channels, 1, kernel, kernel] and bias [channels].
  DepthwiseConv2d(const kernels::KernelTable& table, Parameter weight, Parameter bias,
                  const perch::ConvGeometry& conv, const ImageShape& input)
      : table_(&table),
        weight_(weight),
        bias_(bias),
        conv_(conv),
        input_(input),
        output_{conv.output(input.extent), input.channels},
        taps_(conv.kernel * conv.kernel * input.stride()),
        taps_bias_(input.stride()),
        gradient_((conv.kernel * conv.kernel + 1) * input.stride()) {}

  const ImageShape& output() const { return output_; }
  /// Floats of a pass's scratch.
  std::size_t scratch_size() const {
    return nn::Scratch::size_of(padded_height() * padded_width() * input_.stride()) +
           nn::Scratch::size_of(output_.extent.height * input_.stride());
  }

  /// This member's share of reading the parameters.
  void pack(const Team& team) {
    const std::size_t taps = conv_.kernel * conv_.kernel;
    const Range mine = team.share(input_.channels, ops::channel_padding);
    for (std::size_t c = mine.begin; c < mine.end; ++c) {
      for (std::size_t t = 0; t < taps; ++t) taps_[t * input_.stride() + c] = weight_.value[c * taps + t];
      taps_bias_[c] = bias_.value[c];
    }
  }

  /// x -> y, images of input() and output().
  void forward(const Pass& pass, const float* x, float* y) const {
    nn::Scratch scratch = pass.scratch;
    const std::size_t row = padded_width() * input_.stride();
    float* padded = scratch.take(padded_height() * row);
    float* row_sums = scratch.take(output_.extent.height * input_.stride());
    std::memset(padded, 0, padded_height() * row * sizeof(float));
    for (std::size_t i = 0; i < pass.files.size(); ++i) {
      copy_inside(x + i * input_.floats(), padded);
      table_->depthwise({.input = padded,
                         .input_row_stride = row,
                         .input_stride = input_.stride(),
                         .weights = taps_.data(),
                         .weights_stride = input_.stride(),
                         .bias = taps_bias_.data(),
                         .output = y + i * output_.floats(),
                         .output_row_stride = output_.extent.width * input_.stride(),
                         .output_stride = input_.stride(),
                         .row_sums = row_sums,
                         .row_sums_stride = input_.stride(),
                         .rows = output_.extent.height,
                         .columns = output_.extent.width,
                         .channels = input_.stride(),
                         .kernel = conv_.kernel,
                         .stride = conv_.stride});
    }
  }

  void backward(const Pass& pass, const float* dy, float* dx) const {
    for (std::size_t i = 0; i < pass.files.size(); ++i)
      table_->depthwise_backward({.shape = shape(),
                                  .dy = dy + i * output_.floats(),
                                  .dy_stride = input_.stride(),
                                  .weights = taps_.data(),
                                  .weights_stride = input_.stride(),
                                  .dx = dx + i * input_.floats(),
                                  .dx_stride = input_.stride(),
                                  .channels = input_.stride()});
  }

  /// This member's share, over all `images` of a batch.
  void weight_gradient(const Team& team, const float* x, const float* dy, std::size_t images) {
    const std::size_t stride = input_.stride(), taps = conv_.kernel * conv_.kernel;
    const Range mine = team.share(stride, ops::channel_padding);
    if (mine.size() == 0) return;
    float* dbias = gradient_.data() + taps * stride;
    table_->depthwise_weight_gradient({.shape = shape(),
                                       .input = x + mine.begin,
                                       .input_stride = stride,
                                       .input_image = input_.floats(),
                                       .dy = dy + mine.begin,
                                       .dy_stride = stride,
                                       .dy_image = output_.floats(),
                                       .images = images,
                                       .dweights = gradient_.data() + mine.begin,
                                       .weights_stride = stride,
                                       .dbias = dbias + mine.begin,
                                       .channels = mine.size()});
    for (std::size_t c = mine.begin; c < std::min(mine.end, input_.channels); ++c) {
      for (std::size_t t = 0; t < taps; ++t) weight_.gradient[c * taps + t] = gradient_[t * stride + c];
      bias_.gradient[c] = dbias[c];
    }
  }

 private:
  std::size_t padded_height() const { return input_.extent.height + conv_.pads.top + conv_.pads.bottom; }
  std::size_t padded_width() const { return input_.extent.width + conv_.pads.left + conv_.pads.right; }

  kernels::DepthwiseShape shape() const {
    return {input_.extent.height, input_.extent.width, output_.extent.height, output_.extent.width,
            conv_.kernel,         conv_.stride,        conv_.pads.top,        conv_.pads.left};
  }

  void copy_inside(const float* x, float* padded) const {
    const std::size_t row = input_.extent.width * input_.stride();
    float* to = padded + (conv_.pads.top * padded_width() + conv_.pads.left) * input_.stride();
    for (std::size_t h = 0; h < input_.extent.height; ++h, x += row, to += padded_width() * input_.stride())
      std::memcpy(to, x, row * sizeof(float));
  }

  const kernels::KernelTable* table_;
  Parameter weight_, bias_;
  perch::ConvGeometry conv_;
  ImageShape input_, output_;
  AlignedBuffer<float> taps_, taps_bias_;  ///< as the kernel takes them, [kernel²][stride]
  AlignedBuffer<float> gradient_;          ///< the same, and the bias's
};

}  // namespace pantanal::autograd
