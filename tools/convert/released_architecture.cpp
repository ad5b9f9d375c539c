#include "released_architecture.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace pantanal::convert {
namespace {

/// Blocks of equal width in a row; only the first strides, and only the others have a skip.
struct Stage {
  std::size_t blocks, channels, kernel, stride, expand;
};

constexpr Stage stages[] = {{2, 24, 3, 1, 1},  {3, 32, 3, 2, 6},  {3, 48, 5, 2, 6}, {5, 96, 3, 2, 6},
                            {5, 136, 5, 1, 6}, {6, 232, 5, 2, 6}, {2, 384, 3, 1, 6}};

constexpr std::size_t most_differences_named = 3;

constexpr double lowest_hertz = 60.0, highest_hertz = 16000.0;

/// SAME at stride 1. At stride 2 an even extent gets one zero less in front, so that it halves exactly.
perch::Pads depthwise_pads(perch::Extent in, std::size_t kernel, std::size_t stride) {
  const std::size_t half = kernel / 2;
  const auto begin = [&](std::size_t extent) { return stride == 2 && extent % 2 == 0 ? half - 1 : half; };
  return {begin(in.height), begin(in.width), half, half};
}

double hertz_to_mel(double hertz) { return 1127.0 * std::log1p(hertz / 700.0); }

/// Where triangles begin, peak and end: bands + 2 points at equal distances, the last one exact, so that
/// nothing of the highest bin is left in the highest band.
std::vector<double> mel_edges(std::size_t bands) {
  const double lowest = hertz_to_mel(lowest_hertz), highest = hertz_to_mel(highest_hertz);
  const double step = (highest - lowest) / static_cast<double>(bands + 1);
  std::vector<double> edges(bands + 2);
  for (std::size_t i = 0; i < edges.size(); ++i) edges[i] = lowest + step * static_cast<double>(i);
  edges.back() = highest;
  return edges;
}

}  // namespace

perch::Architecture released_architecture() {
  perch::Architecture architecture;
  architecture.label.classes = 14795;
  std::size_t channels = architecture.stem.channels;
  perch::Extent extent = architecture.extents().back();
  for (const Stage& stage : stages)
    for (std::size_t i = 0; i < stage.blocks; ++i) {
      const std::size_t stride = i == 0 ? stage.stride : 1;
      perch::Block block;
      block.in_channels = channels;
      block.expanded_channels = channels * stage.expand;
      block.out_channels = stage.channels;
      block.se_channels = channels / 4;
      block.has_expand = stage.expand > 1;
      block.has_skip = i > 0;
      block.depthwise = {stage.kernel, stride, depthwise_pads(extent, stage.kernel, stride)};
      architecture.blocks.push_back(block);
      channels = block.out_channels;
      extent = block.depthwise.output(extent);
    }
  return architecture;
}

std::optional<std::string> difference_from_release(const perch::Architecture& architecture) {
  const perch::Architecture released = released_architecture();
  std::string differences;
  std::size_t count = 0;
  const auto compare = [&](const std::string& name, std::size_t found, std::size_t expected) {
    if (found == expected || ++count > most_differences_named) return;
    differences += (differences.empty() ? "" : ", ") + name + " " + std::to_string(found) + " instead of " +
                   std::to_string(expected);
  };
  compare("classes", architecture.label.classes, released.label.classes);
  compare("prototypes per class", architecture.label.prototypes, released.label.prototypes);
  compare("stem channels", architecture.stem.channels, released.stem.channels);
  for (std::size_t i = 0; i < std::min(architecture.blocks.size(), released.blocks.size()); ++i) {
    const std::string name = "block " + std::to_string(i);
    const perch::Block &found = architecture.blocks[i], &expected = released.blocks[i];
    compare(name + " expanded channels", found.expanded_channels, expected.expanded_channels);
    compare(name + " squeeze-and-excite channels", found.se_channels, expected.se_channels);
    compare(name + " channels", found.out_channels, expected.out_channels);
  }
  compare("head channels", architecture.head.channels, released.head.channels);
  if (count == 0) return std::nullopt;
  if (count > most_differences_named)
    differences += " and " + std::to_string(count - most_differences_named) + " more";
  return "not the released widths: " + differences;
}

std::vector<float> hann_window(const perch::Frontend& frontend) {
  const std::size_t length = frontend.frame_length;
  std::vector<double> window(length);
  double sum = 0.0;
  for (std::size_t i = 0; i < length; ++i) {
    const double phase = static_cast<double>(i) / static_cast<double>(length - 1);
    sum += window[i] = 0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * phase);
  }
  std::vector<float> normalised(length);
  for (std::size_t i = 0; i < length; ++i) normalised[i] = static_cast<float>(window[i] / sum);
  return normalised;
}

std::vector<float> mel_filterbank(const perch::Frontend& frontend) {
  const std::size_t bins = frontend.bins(), bands = frontend.mel_bands;
  const double bin_hertz = static_cast<double>(frontend.sample_rate) / static_cast<double>(frontend.fft_size);
  const std::vector<double> edges = mel_edges(bands);
  std::vector<float> matrix(bins * bands);
  for (std::size_t bin = 1; bin < bins; ++bin) {
    const double mel = hertz_to_mel(bin_hertz * static_cast<double>(bin));
    for (std::size_t band = 0; band < bands; ++band) {
      const double lower = edges[band], centre = edges[band + 1], upper = edges[band + 2];
      const double height = std::min((mel - lower) / (centre - lower), (upper - mel) / (upper - centre));
      matrix[bin * bands + band] = static_cast<float>(std::max(0.0, height));
    }
  }
  return matrix;
}

}  // namespace pantanal::convert
