// SqueezeExcite with its backward.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

#include "pantanal/autograd/image.hpp"
#include "pantanal/autograd/linear.hpp"

namespace pantanal::autograd {

/// y = x·g channel by channel, g = σ(W₂·r + b₂), r = act(W₁·m + b₁), m = the mean of x over the positions;
/// dx = dy·g + dm/positions, where dg = Σ_positions dy·x goes back through σ, W₂, act and W₁ to dm. Source:
/// Hu et al. 2018, "Squeeze-and-Excitation Networks", arXiv:1709.01507.
class SqueezeExcite {
 public:
  /// PREFIX.reduce and PREFIX.expand, each with weight and bias.
  SqueezeExcite(const kernels::KernelTable& table, ParameterSet& parameters, const std::string& prefix,
                const ImageShape& image, std::size_t se_channels, perch::Activation activation)
      : table_(&table),
        image_(image),
        reduce_(table, parameters, prefix + ".reduce", image.channels),
        expand_(table, parameters, prefix + ".expand", se_channels),
        activation_(table, activation) {}

  void plan(Tape& tape, std::size_t images) {
    mean_ = tape.take(images, image_.channels), gate_ = tape.take(images, image_.channels);
    dgate_ = tape.take(images, image_.channels), dmean_ = tape.take(images, image_.channels);
    sum_ = tape.take(images, expand_.in_features()), reduced_ = tape.take(images, expand_.in_features());
    dreduced_ = tape.take(images, expand_.in_features());
  }

  void pack(const Team& team) { reduce_.pack(team), expand_.pack(team); }

  /// x -> y, images of one size.
  void forward(const Pass& pass, const float* x, float* y) const {
    const std::size_t images = pass.files.size();
    for (std::size_t i = 0; i < images; ++i)
      table_->mean_rows(x + i * image_.floats(), image_.positions(), image_.stride(), image_.channels,
                        static_cast<float>(image_.positions()), row(pass, mean_, i));
    const Pass rows = at_positions(pass, 1);
    reduce_.forward(rows, rows.in(mean_), mean_.stride, rows.in(sum_));
    activation_.forward(rows.in(sum_), rows.in(reduced_), images * sum_.stride);
    expand_.forward(rows, rows.in(reduced_), reduced_.stride, rows.in(gate_));
    for (std::size_t i = 0; i < images; ++i) {
      float* gate = row(pass, gate_, i);
      for (std::size_t c = 0; c < image_.channels; ++c) gate[c] = 1 / (1 + std::exp(-gate[c]));
      const float* from = x + i * image_.floats();
      float* to = y + i * image_.floats();
      for (std::size_t p = 0; p < image_.positions(); ++p, from += image_.stride(), to += image_.stride())
        for (std::size_t c = 0; c < image_.stride(); ++c) to[c] = from[c] * gate[c];
    }
  }

  /// dy becomes dx.
  void backward(const Pass& pass, const float* x, float* dy) const {
    const std::size_t images = pass.files.size();
    for (std::size_t i = 0; i < images; ++i) gate_gradient(pass, x + i * image_.floats(), dy, i);
    const Pass rows = at_positions(pass, 1);
    expand_.backward(rows, rows.in(dgate_), dgate_.stride, rows.in(dreduced_), dreduced_.stride);
    activation_.backward(rows.in(sum_), rows.in(dreduced_), images * sum_.stride);
    reduce_.backward(rows, rows.in(dreduced_), dreduced_.stride, rows.in(dmean_), dmean_.stride);
    const float share = 1 / static_cast<float>(image_.positions());
    for (std::size_t i = 0; i < images; ++i) {
      const float *gate = row(pass, gate_, i), *dmean = row(pass, dmean_, i);
      float* to = dy + i * image_.floats();
      for (std::size_t p = 0; p < image_.positions(); ++p, to += image_.stride())
        for (std::size_t c = 0; c < image_.channels; ++c) to[c] = to[c] * gate[c] + share * dmean[c];
    }
  }

  /// This member's share, over all `images` of a batch.
  void weight_gradient(const Team& team, std::size_t images) const {
    expand_.weight_gradient(team, reduced_.data, reduced_.stride, dgate_.data, dgate_.stride, images);
    reduce_.weight_gradient(team, mean_.data, mean_.stride, dreduced_.data, dreduced_.stride, images);
  }

 private:
  static float* row(const Pass& pass, const Slot& slot, std::size_t image) {
    return slot.row(pass.files.begin + image);
  }

  /// Of image i: that of the gate before its sigmoid.
  void gate_gradient(const Pass& pass, const float* x, const float* dy, std::size_t i) const {
    const float* gate = row(pass, gate_, i);
    float* dgate = row(pass, dgate_, i);
    std::fill_n(dgate, dgate_.stride, 0.0f);
    dy += i * image_.floats();
    for (std::size_t p = 0; p < image_.positions(); ++p, x += image_.stride(), dy += image_.stride())
      for (std::size_t c = 0; c < image_.channels; ++c) dgate[c] += dy[c] * x[c];
    for (std::size_t c = 0; c < image_.channels; ++c) dgate[c] *= gate[c] * (1 - gate[c]);
  }

  const kernels::KernelTable* table_;
  ImageShape image_;
  Linear reduce_, expand_;
  Nonlinearity activation_;
  Slot mean_, sum_, reduced_, gate_;  ///< a row per image
  Slot dgate_, dreduced_, dmean_;
};

}  // namespace pantanal::autograd
