// LabelHead, Perch's prototype classifier over positions, with its backward.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "pantanal/autograd/image.hpp"
#include "pantanal/autograd/linear.hpp"

namespace pantanal::autograd {

/// logit_c = Σ_p max(scale_cp, 0)·s_cp + bias_c, s_cp = max over positions of ⟨u, w_cp⟩, u = x/(‖x‖ + eps), w
/// = v/max(‖v‖, eps). With h the position of the maximum (the first of equals) and ds = dlogit·max(scale, 0):
/// du[h] = Σ ds·w,  dx = (du - x·⟨x, du⟩/(‖x‖·(‖x‖ + eps)))/(‖x‖ + eps),  dw = Σ_images ds·u[h],
/// dv = (dw - w·⟨w, dw⟩)/‖v‖,  dscale = [scale > 0]·Σ_images dlogit·s,  dbias = Σ_images dlogit. Source: Chen
/// et al. 2019, "This Looks Like That", arXiv:1806.10574.
class LabelHead {
 public:
  /// label.prototypes [classes, prototypes, channels], label.scale [classes, prototypes], label.bias.
  LabelHead(const kernels::KernelTable& table, ParameterSet& parameters, const perch::LabelHead& label,
            const ImageShape& input)
      : table_(&table),
        label_(label),
        input_(input),
        prototypes_(parameters["label.prototypes"]),
        scale_(parameters["label.scale"]),
        bias_(parameters["label.bias"]),
        unit_(prototypes_.value.size()),
        dunit_(prototypes_.value.size()),
        similarity_(table, {{{unit_.span(), dunit_.span()}, {}}}, input.channels) {}

  std::size_t classes() const { return label_.classes; }

  void plan(Tape& tape, std::size_t images) {
    directions_ = input_.take(tape, images);
    similarities_ = tape.take(images * input_.positions(), rows());
    maxima_ = tape.take(images, rows()), dmaxima_ = tape.take(images, rows());
    places_.assign(images * rows(), 0);
  }

  /// The members' shares of reading the parameters; the team waits between the two.
  void fold(const Team& team) {
    const Range mine = team.share(rows());
    for (std::size_t r = mine.begin; r < mine.end; ++r) {
      const auto v = prototypes_.value.subspan(r * input_.channels, input_.channels);
      const float length = std::max(norm(v.data(), input_.channels), label_.eps);
      for (std::size_t c = 0; c < v.size(); ++c) unit_[r * v.size() + c] = v[c] / length;
    }
  }
  void pack(const Team& team) { similarity_.pack(team); }

  /// x, images -> logits, [files, classes] dense.
  void forward(const Pass& pass, const float* x, float* logits) {
    const Pass pixels = at_positions(pass, input_.positions());
    table_->normalize_rows(x, pixels.rows(), input_.stride(), input_.channels, label_.eps,
                           pixels.in(directions_), directions_.stride);
    similarity_.forward(pixels, pixels.in(directions_), directions_.stride, pixels.in(similarities_));
    for (std::size_t i = pass.files.begin; i < pass.files.end; ++i, logits += classes()) {
      find_maxima(i);
      for (std::size_t c = 0; c < classes(); ++c) {
        logits[c] = bias_.value[c];
        for (std::size_t r = c * label_.prototypes; r < (c + 1) * label_.prototypes; ++r)
          logits[c] += std::max(scale_.value[r], 0.0f) * maxima_.row(i)[r];
      }
    }
  }

  /// x as there and dlogits -> dx.
  void backward(const Pass& pass, const float* x, const float* dlogits, float* dx) {
    std::fill_n(dx, pass.files.size() * input_.floats(), 0.0f);
    for (std::size_t i = pass.files.begin; i < pass.files.end; ++i, dlogits += classes()) {
      for (std::size_t r = 0; r < rows(); ++r) {
        const float slope = dlogits[r / label_.prototypes] * std::max(scale_.value[r], 0.0f);
        dmaxima_.row(i)[r] = slope;
        float* du = dx + places_[i * rows() + r] * input_.stride();
        for (std::size_t c = 0; c < input_.channels; ++c) du[c] += slope * unit_[r * input_.channels + c];
      }
      for (std::size_t p = 0; p < input_.positions(); ++p, x += input_.stride(), dx += input_.stride())
        direction_backward(x, dx);
    }
  }

  /// This member's share, over all `images` of a batch; dlogits [images, classes].
  void weight_gradient(const Team& team, const float* dlogits, std::size_t images) {
    const Range mine = team.share(rows());
    for (std::size_t r = mine.begin; r < mine.end; ++r) {
      float* dw = dunit_.data() + r * input_.channels;
      std::fill_n(dw, input_.channels, 0.0f);
      float dscale = 0;
      for (std::size_t i = 0; i < images; ++i) {
        const float slope = dmaxima_.row(i)[r];
        const float* u = directions_.row(i * input_.positions() + places_[i * rows() + r]);
        for (std::size_t c = 0; c < input_.channels; ++c) dw[c] += slope * u[c];
        dscale += dlogits[i * classes() + r / label_.prototypes] * maxima_.row(i)[r];
      }
      scale_.gradient[r] = scale_.value[r] > 0 ? dscale : 0;
      prototype_gradient(r);
    }
    const Range biases = team.share(classes());
    for (std::size_t c = biases.begin; c < biases.end; ++c) {
      float sum = 0;
      for (std::size_t i = 0; i < images; ++i) sum += dlogits[i * classes() + c];
      bias_.gradient[c] = sum;
    }
  }

 private:
  std::size_t rows() const { return label_.classes * label_.prototypes; }

  static float dot(const float* a, const float* b, std::size_t size) {
    double sum = 0;
    for (std::size_t i = 0; i < size; ++i) sum += double{a[i]} * double{b[i]};
    return static_cast<float>(sum);
  }
  static float norm(const float* x, std::size_t size) { return std::sqrt(dot(x, x, size)); }

  /// The greatest similarity of each prototype in image i, and where it is.
  void find_maxima(std::size_t i) {
    float* most = maxima_.row(i);
    std::uint32_t* places = places_.data() + i * rows();
    std::copy_n(similarities_.row(i * input_.positions()), rows(), most);
    std::fill_n(places, rows(), 0);
    for (std::size_t p = 1; p < input_.positions(); ++p) {
      const float* row = similarities_.row(i * input_.positions() + p);
      for (std::size_t r = 0; r < rows(); ++r)
        if (row[r] > most[r]) most[r] = row[r], places[r] = static_cast<std::uint32_t>(p);
    }
  }

  /// du becomes dx, at one position.
  void direction_backward(const float* x, float* du) const {
    const float length = norm(x, input_.channels), divisor = length + label_.eps;
    const float along = length > 0 ? dot(x, du, input_.channels) / (length * divisor) : 0;
    for (std::size_t c = 0; c < input_.channels; ++c) du[c] = (du[c] - x[c] * along) / divisor;
  }

  /// dv from dw of prototype r.
  void prototype_gradient(std::size_t r) const {
    const std::size_t first = r * input_.channels;
    const float length = norm(prototypes_.value.data() + first, input_.channels);
    const float *w = unit_.data() + first, *dw = dunit_.data() + first;
    const float along = length > label_.eps ? dot(w, dw, input_.channels) : 0;
    for (std::size_t c = 0; c < input_.channels; ++c)
      prototypes_.gradient[first + c] = (dw[c] - w[c] * along) / std::max(length, label_.eps);
  }

  const kernels::KernelTable* table_;
  perch::LabelHead label_;
  ImageShape input_;
  Parameter prototypes_, scale_, bias_;
  AlignedBuffer<float> unit_, dunit_;  ///< w and dw
  Linear similarity_;
  Slot directions_, similarities_;     ///< a row per position
  Slot maxima_, dmaxima_;              ///< a row per image
  std::vector<std::uint32_t> places_;  ///< of the maxima, [images, rows()]
};

}  // namespace pantanal::autograd
