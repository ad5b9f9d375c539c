// LabelHeadLayer: the prototype classifier over positions.
// Source: Chen et al. 2019, "This Looks Like That", arXiv:1806.10574, as google-research/perch's heads use
// it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "pantanal/core/parallel.hpp"
#include "pantanal/perch/layer.hpp"
#include "pantanal/perch/model.hpp"
#include "pantanal/perch/pointwise_weights.hpp"

namespace pantanal::perch {

/// logit_c = Σ_p scale_cp·max over positions of ⟨x/(‖x‖₂ + eps), prototype_cp⟩ + bias_c.
///
/// Windows are scored together, so that each panel of prototypes is read from memory once per batch.
class LabelHeadLayer {
 public:
  LabelHeadLayer(const kernels::KernelTable& table, const Model& model, std::size_t positions,
                 Precision precision = Precision::fp32)
      : table_(&table),
        label_(model.architecture.label),
        positions_(positions),
        channels_(model.architecture.head.channels),
        scale_(model.values("label.scale")),
        bias_(model.values("label.bias")),
        prototypes_(table, model.tensors.find("label.prototypes")->second, {},
                    label_.classes * label_.prototypes, channels_, precision) {}

  std::size_t classes() const { return label_.classes; }
  /// Floats that one window's normalised positions take.
  std::size_t directions_size() const { return positions_ * pixel_stride(channels_); }
  /// Floats that one window's maxima take.
  std::size_t maxima_size() const { return prototypes_.padded_columns(); }

  /// One window's spatial [positions, pixel_stride(channels)] -> directions, each position made unit length.
  /// With Precision::bf16 they are words of bfloat16 in the first half of each position's room.
  void normalize(const Team& team, const float* spatial, float* directions) const {
    const std::size_t stride = pixel_stride(channels_);
    const Range rows = team.share(positions_);
    table_->normalize_rows(spatial + rows.begin * stride, rows.size(), stride, channels_, label_.eps,
                           directions + rows.begin * stride, stride);
    if (prototypes_.multiplies_bfloat16())
      prototypes_.round(directions + rows.begin * stride, rows.size(), stride, stride, nullptr,
                        reinterpret_cast<std::uint32_t*>(directions) + rows.begin * stride, stride);
  }

  /// directions of `windows` windows -> logits [windows, classes]. Ends with a wait.
  void run(const Team& team, const float* directions, std::size_t windows, float* maxima,
           float* logits) const {
    const std::size_t panel = table_->panel_floats, stride = pixel_stride(channels_);
    const Range panels = team.share((prototypes_.padded_columns() + panel - 1) / panel);
    for (std::size_t begin = panels.begin * panel;
         begin < std::min(panels.end * panel, prototypes_.padded_columns()); begin += panel)
      for (std::size_t w = 0; w < windows; ++w) {
        const float* const input = directions + w * directions_size();
        const kernels::MaxSimilarityArgs args{
            .input = input,
            .input_stride = stride,
            .maxima = maxima + w * maxima_size() + begin,
            .rows = positions_,
            .padded_columns = std::min(panel, prototypes_.padded_columns() - begin)};
        if (prototypes_.multiplies_bfloat16())
          prototypes_.max_similarity(args, reinterpret_cast<const std::uint32_t*>(input), stride, begin);
        else
          prototypes_.max_similarity(args, begin);
      }
    team.wait();
    const Range classes = team.share(label_.classes * windows, cache_line / sizeof(float));
    for (std::size_t i = classes.begin; i < classes.end; ++i)
      logits[i] = logit(maxima + i / label_.classes * maxima_size(), i % label_.classes);
    team.wait();
  }

 private:
  float logit(const float* maxima, std::size_t c) const {
    float sum = bias_[c];
    for (std::size_t p = c * label_.prototypes; p < (c + 1) * label_.prototypes; ++p)
      sum += scale_[p] * maxima[p];
    return sum;
  }

  const kernels::KernelTable* table_;
  LabelHead label_;
  std::size_t positions_, channels_;
  std::span<const float> scale_, bias_;  ///< views into the model, which outlives the layer
  PointwiseWeights prototypes_;
};

}  // namespace pantanal::perch
