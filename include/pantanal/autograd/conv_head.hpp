// ConvHead, the last 1x1 convolution and the mean that is the embedding, with its backward.
#pragma once

#include <cstddef>
#include <vector>

#include "pantanal/autograd/mbconv.hpp"

namespace pantanal::autograd {

/// spatial = act(V·x + bias) at each position, embedding = its mean over the positions;  dspatial gets
/// dembedding/positions added at each,  ds = dspatial·act',  dx = ds·V,  dV = dsᵀ·x.
class ConvHead {
 public:
  /// head.weight [channels, in_channels, 1, 1], head.scale, head.bias.
  ConvHead(const kernels::KernelTable& table, ParameterSet& parameters, const perch::Head& head,
           const ImageShape& input)
      : table_(&table),
        input_(input),
        output_{input.extent, head.channels},
        conv_(table, parameters, "head", input.channels),
        activation_(table, head.activation) {}

  const ImageShape& output() const { return output_; }
  /// What the convolution gave before its nonlinearity.
  const Slot& sum() const { return sum_; }
  void plan(Tape& tape, std::size_t images) { sum_ = output_.take(tape, images); }
  void fold(const Team& team) { conv_.norm.fold(team); }
  void pack(const Team& team) { conv_.linear.pack(team); }

  /// x -> spatial, images of output().
  void forward(const Pass& pass, const float* x, float* spatial) const {
    const Pass pixels = at_positions(pass, output_.positions());
    conv_.linear.forward(pixels, x, input_.stride(), pixels.in(sum_));
    activation_.forward(pixels.in(sum_), spatial, pass.files.size() * output_.floats());
  }

  /// spatial -> embedding, a row of output().stride() floats per file.
  void embed(const Pass& pass, const float* spatial, float* embedding) const {
    for (std::size_t i = 0; i < pass.files.size(); ++i)
      table_->mean_rows(spatial + i * output_.floats(), output_.positions(), output_.stride(),
                        output_.channels, static_cast<float>(output_.positions()),
                        embedding + i * output_.stride());
  }

  /// Adds the embedding's gradient to that of spatial.
  void embed_backward(const Pass& pass, const float* dembedding, float* dspatial) const {
    const float share = 1 / static_cast<float>(output_.positions());
    for (std::size_t i = 0; i < pass.files.size(); ++i)
      for (std::size_t p = 0; p < output_.positions(); ++p, dspatial += output_.stride())
        for (std::size_t c = 0; c < output_.channels; ++c)
          dspatial[c] += share * dembedding[i * output_.stride() + c];
  }

  /// dspatial becomes ds, which weight_gradient() wants; -> dx, unless that is null.
  void backward(const Pass& pass, float* dspatial, float* dx) const {
    const Pass pixels = at_positions(pass, output_.positions());
    activation_.backward(pixels.in(sum_), dspatial, pass.files.size() * output_.floats());
    if (dx) conv_.linear.backward(pixels, dspatial, output_.stride(), dx, input_.stride());
  }

  /// This member's share, over all `images` of a batch; unfold() follows.
  void weight_gradient(const Team& team, const float* x, const float* ds, std::size_t images) const {
    conv_.linear.weight_gradient(team, x, input_.stride(), ds, output_.stride(),
                                 images * output_.positions());
  }
  void unfold(const Team& team) const { conv_.norm.weight_gradient(team); }

 private:
  const kernels::KernelTable* table_;
  ImageShape input_, output_;
  PointwiseConv conv_;
  Nonlinearity activation_;
  Slot sum_;
};

}  // namespace pantanal::autograd
