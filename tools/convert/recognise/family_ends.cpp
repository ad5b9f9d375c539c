#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <string>

#include "recognise/family_rules.hpp"
#include "released_architecture.hpp"

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

/// Sizes of the released front end, asked of every model whose windows, frames or channels are the released
/// ones: reduced models may have others, but then all of them.
void check_sizes(const PerchMatch& match, Deviations& all) {
  const perch::Frontend &found = match.frontend.frontend, released;
  const Fact& fact = *match.stem.layer.layer.input;
  const auto compare = [&](const char* what, std::size_t size, std::size_t expected) {
    if (size != expected) add(all, fact, std::to_string(size) + what, std::to_string(expected));
  };
  const bool whole = found.frame_length == released.frame_length || has_released_width(match);
  if (whole || found.samples == released.samples)
    compare(" samples from frame to frame", found.hop_length, released.hop_length);
  if (!whole) return;
  compare(" samples in a window", found.samples, released.samples);
  compare(" samples in a frame", found.frame_length, released.frame_length);
  compare(" as the transform's length", found.fft_size, released.fft_size);
  compare(" mel bands", found.mel_bands, released.mel_bands);
}

/// A symmetric Hann window that sums to 1.
void check_window(const PerchMatch& match, Deviations& all) {
  constexpr double tolerance = 1e-3;  // of the peak; a periodic window of 640 samples is 5e-3 away
  const std::vector<float>& window = match.frontend.window;
  const std::vector<float> hann = hann_window(match.frontend.frontend);
  const double peak = *std::max_element(hann.begin(), hann.end());
  double worst = 0;
  for (std::size_t t = 0; t < window.size(); ++t)
    worst = std::max(worst, std::abs(double{window[t]} - hann[t]) / peak);
  if (!(worst <= tolerance))
    add(all, *match.stem.layer.layer.input,
        "a window that is up to " + number(worst) + " of its peak away from Hann's",
        "a symmetric Hann window that sums to 1");
}

/// Triangles on the HTK mel scale, 60 Hz to 16 kHz.
void check_mel(const PerchMatch& match, Deviations& all) {
  constexpr float tolerance = 1e-4f;  // the released matrix is 1.7e-5 away
  const std::vector<float>&found = match.frontend.mel, formula = mel_filterbank(match.frontend.frontend);
  float worst = 0;
  for (std::size_t i = 0; i < found.size(); ++i) worst = std::max(worst, std::abs(found[i] - formula[i]));
  if (!(worst <= tolerance))
    add(all, *match.stem.layer.layer.input,
        "a mel matrix with weights up to " + number(worst) + " away from the HTK mel scale's",
        "triangles from 60 Hz to 16 kHz, at most " + number(tolerance) + " away");
}

/// 0.1 · ln(max(mel, 1e-5)).
void check_logarithm(const PerchMatch& match, Deviations& all) {
  const perch::Frontend &found = match.frontend.frontend, released;
  const auto compare = [&](const char* what, float value, float expected) {
    if (!(std::abs(value - expected) <= 1e-3f * expected))
      add(all, *match.stem.layer.layer.input, what + number(value), number(expected));
  };
  compare("a floor under the mel energies of ", found.floor, released.floor);
  compare("a factor of the logarithm of ", found.scale, released.scale);
}

}  // namespace

void check_frontend(const PerchMatch& match, Deviations& all) {
  check_framing(match, all);
  check_sizes(match, all);
  check_window(match, all);
  check_mel(match, all);
  check_logarithm(match, all);
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
    add(all, *label.product, "an epsilon of " + number(label.head.eps), "a small one, such as 1e-5");
  if (std::all_of(label.bias.begin(), label.bias.end(), [](float bias) { return bias == 0; }))
    add(all, *label.product, "only zeros as the bias of the classes", "a bias of each class");
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
