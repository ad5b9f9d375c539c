// The whole forward pass in double precision, one scalar loop per layer: the specification that Session is
// tested against, stage by stage. Slow on purpose.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "pantanal/kernels/reference.hpp"
#include "pantanal/perch/layer.hpp"
#include "pantanal/perch/model.hpp"

namespace pantanal::perch::reference {

/// Every stage's activations for one window, images as [H, W, C].
struct Stages {
  std::vector<double> spectrogram, stem;
  std::vector<std::vector<double>> blocks;
  std::vector<double> spatial_embedding, embedding, label;
};

/// What products of lower precision do to the pixels [n, channels] that enter a wide product (one that
/// Precision speaks of, but for the label head's); none: nothing.
using RoundPixels = void (*)(std::vector<double>& pixels, std::size_t channels);

/// As Precision::int8: to multiples of a 127th of each pixel's largest magnitude.
inline void round_to_int8(std::vector<double>& pixels, std::size_t channels) {
  for (std::size_t begin = 0; begin < pixels.size(); begin += channels) {
    const std::span<double> pixel(pixels.data() + begin, channels);
    double largest = 0;
    for (const double x : pixel) largest = std::max(largest, std::abs(x));
    for (double& x : pixel) x = largest == 0 ? 0 : std::nearbyint(x * 127 / largest) * largest / 127;
  }
}

namespace detail {

namespace reference = kernels::reference;

inline std::vector<double> spectrogram(const Model& model, std::span<const float> samples) {
  const Frontend& f = model.architecture.frontend;
  std::vector<float> padded(f.pad_left + f.samples + f.pad_right);
  std::copy(samples.begin(), samples.end(), padded.begin() + static_cast<std::ptrdiff_t>(f.pad_left));
  return reference::log_mel(padded, f.frames(), f.hop_length, f.fft_size, model.values("frontend.window"),
                            model.values("frontend.mel"), f.mel_bands, double{f.floor}, double{f.scale});
}

inline reference::ConvShape shape(Extent in, std::size_t channels, const ConvGeometry& conv) {
  const Extent out = conv.output(in);
  return {in.height,     in.width,       channels,   conv.kernel, conv.stride,
          conv.pads.top, conv.pads.left, out.height, out.width};
}

/// The one-channel image against each of the stem's kernels: a depthwise convolution of its copies.
inline std::vector<double> stem(const Model& model, std::span<const double> spectrogram) {
  const Stem& stem = model.architecture.stem;
  std::vector<double> copies;
  copies.reserve(spectrogram.size() * stem.channels);
  for (const double x : spectrogram) copies.insert(copies.end(), stem.channels, x);
  return reference::depthwise<double>(
      copies, shape(model.architecture.spectrogram_extent(), stem.channels, stem.conv),
      model.values("stem.weight"), model.values("stem.bias"), to_kernel(stem.activation));
}

/// mean[c] over the positions of x [positions, channels].
inline std::vector<double> mean(std::span<const double> x, std::size_t channels) {
  std::vector<double> sum(channels);
  for (std::size_t i = 0; i < x.size(); ++i) sum[i % channels] += x[i];
  for (double& s : sum) s /= static_cast<double>(x.size() / channels);
  return sum;
}

inline std::vector<double> block(const Model& model, std::size_t index, Extent in, std::span<const double> x,
                                 RoundPixels round = nullptr) {
  const Block& b = model.architecture.blocks[index];
  const std::string name = "blocks." + std::to_string(index) + ".";
  const auto dense = [&](const std::string& layer, std::span<const double> input, std::size_t columns,
                         std::size_t depth, kernels::Activation act) {
    return reference::pointwise<double>(input, input.size() / depth, model.values(name + layer + ".weight"),
                                        model.values(name + layer + ".bias"), columns, depth, act);
  };
  std::vector<double> wide(x.begin(), x.end());
  if (b.has_expand) {
    if (round) round(wide, b.in_channels);
    wide = dense("expand", wide, b.expanded_channels, b.in_channels, to_kernel(b.expand_activation));
  }
  wide = reference::depthwise<double>(
      wide, shape(in, b.expanded_channels, b.depthwise), model.values(name + "depthwise.weight"),
      model.values(name + "depthwise.bias"), to_kernel(b.depthwise_activation));
  const std::vector<double> reduced = dense("se.reduce", mean(wide, b.expanded_channels), b.se_channels,
                                            b.expanded_channels, to_kernel(b.se_activation));
  const std::vector<double> gate =
      dense("se.expand", reduced, b.expanded_channels, b.se_channels, kernels::Activation::sigmoid);
  for (std::size_t i = 0; i < wide.size(); ++i) wide[i] *= gate[i % b.expanded_channels];
  if (round) round(wide, b.expanded_channels);
  std::vector<double> out =
      dense("project", wide, b.out_channels, b.expanded_channels, kernels::Activation::none);
  if (b.has_skip)
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += x[i];
  return out;
}

inline std::vector<double> label(const Model& model, std::span<const double> spatial) {
  const LabelHead& head = model.architecture.label;
  const std::size_t channels = model.architecture.head.channels, positions = spatial.size() / channels;
  std::vector<double> directions(spatial.begin(), spatial.end());
  for (std::size_t p = 0; p < positions; ++p) {
    double squares = 0;
    for (std::size_t c = 0; c < channels; ++c)
      squares += directions[p * channels + c] * directions[p * channels + c];
    for (std::size_t c = 0; c < channels; ++c)
      directions[p * channels + c] /= std::sqrt(squares) + double{head.eps};
  }
  const std::vector<double> maxima = reference::max_similarity<double>(
      directions, positions, model.values("label.prototypes"), head.classes * head.prototypes, channels);
  const std::span<const float> scale = model.values("label.scale"), bias = model.values("label.bias");
  std::vector<double> logits(bias.begin(), bias.end());
  for (std::size_t i = 0; i < maxima.size(); ++i) logits[i / head.prototypes] += double{scale[i]} * maxima[i];
  return logits;
}

}  // namespace detail

/// One window of architecture.frontend.samples samples through a valid model.
inline Stages run(const Model& model, std::span<const float> samples, RoundPixels round = nullptr) {
  const Architecture& a = model.architecture;
  const std::vector<Extent> extents = a.extents();
  Stages stages;
  stages.spectrogram = detail::spectrogram(model, samples);
  stages.stem = detail::stem(model, stages.spectrogram);
  for (std::size_t i = 0; i < a.blocks.size(); ++i)
    stages.blocks.push_back(
        detail::block(model, i, extents[i], i ? stages.blocks.back() : stages.stem, round));
  std::vector<double> last = stages.blocks.empty() ? stages.stem : stages.blocks.back();
  const std::size_t depth = last.size() / extents.back().positions();
  if (round) round(last, depth);
  stages.spatial_embedding = kernels::reference::pointwise<double>(
      last, extents.back().positions(), model.values("head.weight"), model.values("head.bias"),
      a.head.channels, depth, to_kernel(a.head.activation));
  stages.embedding = detail::mean(stages.spatial_embedding, a.head.channels);
  if (a.label.classes > 0) stages.label = detail::label(model, stages.spatial_embedding);
  return stages;
}

}  // namespace pantanal::perch::reference
