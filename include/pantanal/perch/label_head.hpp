// LabelHeadLayer: the prototype classifier over positions.
// Source: Chen et al. 2019, "This Looks Like That", arXiv:1806.10574, as google-research/perch's heads use
// it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "pantanal/core/packed_arena.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/ops/similarity_screen.hpp"
#include "pantanal/perch/layer.hpp"
#include "pantanal/perch/model.hpp"
#include "pantanal/perch/pointwise_weights.hpp"

namespace pantanal::perch {

/// Whether 16-bit integers tell which positions can be a prototype's best, and float32 decides between those
/// alone: the same logits bit for bit, in two thirds of the time, for half as much memory again as float32
/// prototypes take. `automatic` where that pays, `always` wherever it can be done: of float32 products and
/// prototypes in float32 (of a file's bfloat16 or int8 it cannot), on a CPU with AVX512_VNNI.
enum class LabelScreen { automatic, always, never };

/// Prototypes from which on a screen pays.
inline constexpr std::size_t screened_prototypes = 4096;

/// Whether the head `label` over `positions` positions is screened on this CPU, its prototypes `narrow`:
/// stored in 16 or 8 bits or multiplied in 16.
inline bool is_screened(LabelScreen screen, const LabelHead& label, std::size_t positions, bool narrow,
                        InstructionSet isa) {
  if (screen == LabelScreen::never || narrow || label.classes == 0) return false;
  if (screen == LabelScreen::automatic && label.classes * label.prototypes < screened_prototypes)
    return false;
  return ops::SimilarityScreen::is_supported(isa, positions);
}

/// In what the label head's products are computed where the others are in `precision`: 8 bits tell the
/// likeliest classes apart less well, and save little of a competition's.
constexpr Precision label_precision(Precision precision) {
  return precision == Precision::bf16 ? Precision::bf16 : Precision::fp32;
}

/// Whether the prototypes of `model` are packed in 16 or 8 bits.
inline bool has_narrow_prototypes(const Model& model, Precision precision) {
  const auto found = model.tensors.find("label.prototypes");
  if (label_precision(precision) == Precision::bf16) return true;
  return found != model.tensors.end() &&
         (found->second.dtype == Dtype::bf16 || found->second.dtype == Dtype::i8);
}

/// logit_c = Σ_p scale_cp·max over positions of ⟨x/(‖x‖₂ + eps), prototype_cp⟩ + bias_c.
///
/// Windows are scored together, so that each panel of prototypes is read from memory once per batch.
class LabelHeadLayer {
 public:
  LabelHeadLayer(const kernels::KernelTable& table, const Model& model, std::size_t positions,
                 Precision precision = Precision::fp32, LabelScreen screen = LabelScreen::automatic,
                 PackedArena* arena = nullptr)
      : table_(&table),
        label_(model.architecture.label),
        positions_(positions),
        channels_(model.architecture.head.channels),
        scale_(model.values("label.scale")),
        bias_(model.values("label.bias")),
        prototypes_(table, model.tensors.find("label.prototypes")->second, {},
                    label_.classes * label_.prototypes, channels_, label_precision(precision), arena) {
    if (is_screened(screen, label_, positions, prototypes_.is_narrow(), table.isa))
      screen_.emplace(table, prototypes_.floats(), positions, arena);
  }

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
    if (prototypes_.rounds_input())
      prototypes_.round(directions + rows.begin * stride, rows.size(), stride, stride, nullptr,
                        reinterpret_cast<std::uint32_t*>(directions) + rows.begin * stride, stride);
  }

  /// What run() needs for `windows` windows besides its other arguments: nothing where it does not screen.
  std::vector<ops::ScreenedRows> make_screened_rows(std::size_t windows) const {
    std::vector<ops::ScreenedRows> rows;
    for (std::size_t w = 0; screen_ && w < windows; ++w) rows.push_back(screen_->make_rows());
    return rows;
  }

  /// directions of `windows` windows -> logits [windows, classes]. Without `screened` it does not screen.
  /// Ends with a wait.
  void run(const Team& team, const float* directions, std::size_t windows, float* maxima, float* logits,
           std::span<ops::ScreenedRows> screened = {}) const {
    const std::size_t panel = table_->panel_floats, padded = prototypes_.padded_columns();
    const Range panels = team.share((padded + panel - 1) / panel);
    const Range columns{std::min(panels.begin * panel, padded), std::min(panels.end * panel, padded)};
    prepare_screen(team, directions, windows, screened);
    if (screened.empty())
      find_maxima(directions, {0, windows}, columns, maxima);
    else
      screen_maxima(directions, windows, columns, maxima, screened);
    team.wait();
    const Range classes = team.share(label_.classes * windows, cache_line / sizeof(float));
    for (std::size_t i = classes.begin; i < classes.end; ++i)
      logits[i] = logit(maxima + i / label_.classes * maxima_size(), i % label_.classes);
    team.wait();
  }

 private:
  void prepare_screen(const Team& team, const float* directions, std::size_t windows,
                      std::span<ops::ScreenedRows> screened) const {
    if (screened.empty()) return;
    const std::size_t stride = pixel_stride(channels_);
    for (std::size_t w = 0; w < windows; ++w)
      screen_->center_rows(team, directions + w * directions_size(), stride, screened[w]);
    team.wait();
    for (std::size_t w = 0; w < windows; ++w)
      screen_->quantize_rows(team, directions + w * directions_size(), stride, screened[w]);
    team.wait();
  }

  /// A panel is read once for all windows.
  void find_maxima(const float* directions, Range windows, Range columns, float* maxima) const {
    for (std::size_t begin = columns.begin; begin < columns.end; begin += table_->panel_floats)
      for (std::size_t w = windows.begin; w < windows.end; ++w) {
        const kernels::MaxSimilarityArgs args{
            .input = directions + w * directions_size(),
            .input_stride = pixel_stride(channels_),
            .maxima = maxima + w * maxima_size() + begin,
            .rows = positions_,
            .padded_columns = std::min(table_->panel_floats, columns.end - begin)};
        if (prototypes_.rounds_input())
          prototypes_.max_similarity(args, reinterpret_cast<const std::uint32_t*>(args.input),
                                     args.input_stride, begin);
        else
          prototypes_.max_similarity(args, begin);
      }
  }

  void screen_maxima(const float* directions, std::size_t windows, Range columns, float* maxima,
                     std::span<const ops::ScreenedRows> screened) const {
    std::array<kernels::ScreenedWindow, kernels::screen_windows> some;
    for (std::size_t w = 0; w < windows;) {
      std::size_t count = 0;
      for (; w < windows && count < some.size(); ++w)
        if (screen_->is_usable(screened[w]))
          some[count++] = ops::SimilarityScreen::window(directions + w * directions_size(), screened[w],
                                                        maxima + w * maxima_size());
        else
          find_maxima(directions, {w, w + 1}, columns, maxima);
      screen_->max_similarity(prototypes_.floats(), {some.data(), count}, pixel_stride(channels_),
                              columns.begin, columns.end);
    }
  }

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
  std::optional<ops::SimilarityScreen> screen_;
};

}  // namespace pantanal::perch
