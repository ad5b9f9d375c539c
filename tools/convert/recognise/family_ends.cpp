#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <span>
#include <string>

#include "recognise/family_rules.hpp"

namespace pantanal::convert::family {
namespace {

/// Frames as SAME padding gives them, or, where frames are shorter than their hop, equal padding.
void check_framing(const PerchMatch& match, Deviations& all) {
  const perch::Frontend& f = match.frontend.frontend;
  const Fact& fact = *match.stem.layer.layer.input;
  const auto [left, right] = same_pads(f.samples, f.frame_length, f.hop_length);
  const bool same = f.pad_left == left && f.pad_right == right;
  const bool sparse = f.frame_length < f.hop_length && f.pad_left == f.pad_right &&
                      f.frames() == (f.samples + f.hop_length - 1) / f.hop_length;
  if (!same && !sparse)
    add(all, fact,
        "frames of samples with " + std::to_string(f.pad_left) + " zeros before and " +
            std::to_string(f.pad_right) + " behind",
        std::to_string(left) + " and " + std::to_string(right));
}

/// A Hann window that sums to 1: symmetric as in NumPy, or periodic.
void check_window(const PerchMatch& match, Deviations& all) {
  const std::vector<float>& window = match.frontend.window;
  const Fact& fact = *match.stem.layer.layer.input;
  double least = INFINITY;
  for (const double period : {static_cast<double>(window.size()) - 1, static_cast<double>(window.size())}) {
    std::vector<double> hann;
    for (std::size_t t = 0; t < window.size(); ++t)
      hann.push_back(0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(t) / period));
    const double sum = std::accumulate(hann.begin(), hann.end(), 0.0);
    double worst = 0, peak = 0;
    for (std::size_t t = 0; t < window.size(); ++t) {
      worst = std::max(worst, std::abs(window[t] - hann[t] / sum));
      peak = std::max(peak, hann[t] / sum);
    }
    least = std::min(least, worst / peak);
  }
  if (!(least <= 1e-3))
    add(all, fact, "a window that is up to " + std::to_string(least) + " of its peak away from Hann's",
        "a Hann window that sums to 1");
}

void check_mel(const PerchMatch& match, Deviations& all) {
  const FrontendMatch& front = match.frontend;
  const Fact& fact = *match.stem.layer.layer.input;
  if (std::any_of(front.mel.begin(), front.mel.end(), [](float weight) { return weight < 0; }))
    add(all, fact, "a mel matrix with negative weights", "weights of 0 or more");
  if (!(front.frontend.scale > 0) || !(front.frontend.floor > 0 && front.frontend.floor < 1))
    add(all, fact,
        "scale " + std::to_string(front.frontend.scale) + " and floor " +
            std::to_string(front.frontend.floor),
        "a positive scale and a floor between 0 and 1");
}

}  // namespace

void check_frontend(const PerchMatch& match, Deviations& all) {
  check_framing(match, all);
  check_window(match, all);
  check_mel(match, all);
}

void check_stem(const PerchMatch& match, Deviations& all) {
  const perch::ConvGeometry& g = match.stem_geometry;
  if (g.kernel != 3 || g.stride != 2 || g.pads != perch::Pads{})
    add(all, *match.stem.layer.layer.fact,
        "a stem of kernel " + std::to_string(g.kernel) + ", stride " + std::to_string(g.stride) + ", pads " +
            to_string(g.pads),
        "kernel 3, stride 2, no padding");
  if (match.stem.activation != match.head.activation)
    add(all, *match.head.layer.layer.fact,
        name_of(match.stem.activation) + " after the stem and " + name_of(match.head.activation) +
            " after the last convolution",
        "the same activation after both");
}

void check_label(const PerchMatch& match, Deviations& all) {
  const LabelMatch& label = *match.label;
  if (std::any_of(label.scale.begin(), label.scale.end(), [](float k) { return k < 0; }))
    add(all, *label.weighted, "negative weights of prototypes", "max(0, k) of them");
  if (!(label.head.eps < 0.01f))
    add(all, *label.product, "an epsilon of " + std::to_string(label.head.eps), "a small one, such as 1e-5");
  const std::size_t channels = label.prototypes.size() / (label.head.classes * label.head.prototypes);
  for (std::size_t row = 0; row < label.scale.size(); ++row) {
    const std::span<const float> prototype(label.prototypes.data() + row * channels, channels);
    const double length =
        std::sqrt(std::inner_product(prototype.begin(), prototype.end(), prototype.begin(), 0.0));
    if (!(std::abs(length - 1) <= 1e-3))
      return add(all, *label.product,
                 "a prototype of length " + std::to_string(length) + " (class " +
                     std::to_string(row / label.head.prototypes) + ")",
                 "prototypes of length 1");
  }
}

}  // namespace pantanal::convert::family
