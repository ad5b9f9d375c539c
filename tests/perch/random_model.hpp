// Small architectures of Perch v2's pattern and random weights for them, for tests of whatever runs or stores
// models.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/perch/model.hpp"

namespace pantanal::perch::fixtures {

/// A run of blocks; the first has the stride and no skip, the others stride 1 and a skip.
struct Stage {
  std::size_t blocks, channels, kernel, stride, expand;
};

/// Zeros that keep ceil(size / stride) outputs along one axis of `size`: {begin, end}, as Perch v2 pads.
inline std::pair<std::size_t, std::size_t> same_pads(std::size_t size, std::size_t kernel,
                                                     std::size_t stride) {
  const std::size_t half = kernel / 2;
  return {stride == 1 ? half : half - (1 - size % 2), half};
}

/// Appends `stages` to an architecture whose frontend and stem are set.
inline void append_stages(Architecture& architecture, const std::vector<Stage>& stages) {
  for (const Stage& stage : stages)
    for (std::size_t repeat = 0; repeat < stage.blocks; ++repeat) {
      const Extent in = architecture.extents().back();
      Block block;
      block.in_channels =
          architecture.blocks.empty() ? architecture.stem.channels : architecture.blocks.back().out_channels;
      block.expanded_channels = block.in_channels * stage.expand;
      block.out_channels = stage.channels;
      block.se_channels = std::max<std::size_t>(1, block.in_channels / 4);
      block.has_expand = stage.expand != 1;
      block.has_skip = repeat > 0;
      const std::size_t stride = repeat == 0 ? stage.stride : 1;
      const auto [top, bottom] = same_pads(in.height, stage.kernel, stride);
      const auto [left, right] = same_pads(in.width, stage.kernel, stride);
      block.depthwise = {stage.kernel, stride, {top, left, bottom, right}};
      architecture.blocks.push_back(block);
    }
}

/// Perch v2 itself: 26 blocks, 5 s at 32 kHz. `classes` 0 leaves the label head out.
inline Architecture perch_v2_architecture(std::size_t classes) {
  Architecture architecture;
  architecture.label.classes = classes;
  append_stages(architecture, {{2, 24, 3, 1, 1},
                               {3, 32, 3, 2, 6},
                               {3, 48, 5, 2, 6},
                               {5, 96, 3, 2, 6},
                               {5, 136, 5, 1, 6},
                               {6, 232, 5, 2, 6},
                               {2, 384, 3, 1, 6}});
  return architecture;
}

/// Perch v2's pattern at few and odd channels: every kernel, stride, skip and expansion of it, 14 blocks,
/// swish and ReLU, a spectrogram of 100 x 32 from half a second at 32 kHz, 7 classes, a spatial embedding of
/// 4 x 1 x 19.
inline Architecture tiny_architecture() {
  Architecture architecture;
  architecture.frontend = {.samples = 16000,
                           .sample_rate = 32000,
                           .frame_length = 320,
                           .hop_length = 160,
                           .pad_left = 80,
                           .pad_right = 80,
                           .fft_size = 512,
                           .mel_bands = 32};
  architecture.stem.channels = 5;
  architecture.head.channels = 19;
  architecture.label.classes = 7;
  append_stages(architecture, {{2, 3, 3, 1, 1},
                               {2, 5, 3, 2, 6},
                               {2, 7, 5, 2, 6},
                               {2, 9, 3, 2, 6},
                               {2, 11, 5, 1, 6},
                               {2, 13, 5, 2, 6},
                               {2, 17, 3, 1, 6}});
  for (std::size_t i = 0; i < architecture.blocks.size(); i += 3) {
    architecture.blocks[i].expand_activation = Activation::relu;
    architecture.blocks[(i + 1) % architecture.blocks.size()].depthwise_activation = Activation::relu;
    architecture.blocks[(i + 2) % architecture.blocks.size()].se_activation = Activation::relu;
  }
  return architecture;
}

/// One block and three classes: the smallest model with every kind of tensor, a few kilobytes.
inline Architecture smallest_architecture() {
  Architecture architecture;
  architecture.frontend = {.samples = 64,
                           .sample_rate = 32000,
                           .frame_length = 8,
                           .hop_length = 4,
                           .pad_left = 2,
                           .pad_right = 2,
                           .fft_size = 16,
                           .mel_bands = 6};
  architecture.stem.channels = 2;
  architecture.head.channels = 3;
  architecture.label = {.classes = 3, .prototypes = 2};
  append_stages(architecture, {{1, 3, 3, 2, 2}});
  return architecture;
}

/// Random numbers that are the same with every compiler and standard library.
class RandomValues {
 public:
  explicit RandomValues(std::uint64_t seed) : engine_(seed) {}

  /// Uniform in [0, 1).
  double uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }

  /// Standard normal, by Box and Muller's method.
  double normal() {
    return std::sqrt(-2.0 * std::log(1.0 - uniform())) * std::cos(2.0 * std::numbers::pi * uniform());
  }

  std::vector<float> normals(std::size_t count, double deviation, double mean = 0.0) {
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(mean + deviation * normal());
    return values;
  }

 private:
  std::mt19937_64 engine_;
};

/// Symmetric Hann window that sums to 1, [frame_length].
inline std::vector<float> hann_window(std::size_t length) {
  std::vector<double> window(length, 1.0);
  double sum = 0.0;
  for (std::size_t i = 0; i < length; ++i) {
    if (length > 1)
      window[i] = 0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * static_cast<double>(i) /
                                       static_cast<double>(length - 1));
    sum += window[i];
  }
  std::vector<float> scaled(length);
  for (std::size_t i = 0; i < length; ++i) scaled[i] = static_cast<float>(window[i] / sum);
  return scaled;
}

/// Triangles between equally spaced points on the HTK mel scale, 60 Hz to half the rate, [bins, mel_bands].
inline std::vector<float> mel_filterbank(const Frontend& frontend) {
  const auto mel = [](double hertz) { return 1127.0 * std::log1p(hertz / 700.0); };
  const double nyquist = static_cast<double>(frontend.sample_rate) / 2.0;
  const double low = mel(60.0), step = (mel(nyquist) - low) / static_cast<double>(frontend.mel_bands + 1);
  std::vector<float> matrix(frontend.bins() * frontend.mel_bands);
  for (std::size_t bin = 1; bin < frontend.bins(); ++bin) {
    const double position =
        (mel(nyquist * static_cast<double>(bin) / static_cast<double>(frontend.bins() - 1)) - low) / step;
    for (std::size_t band = 0; band < frontend.mel_bands; ++band)
      matrix[bin * frontend.mel_bands + band] =
          static_cast<float>(std::max(0.0, 1.0 - std::abs(position - static_cast<double>(band + 1))));
  }
  return matrix;
}

/// Weights whose sums over `fan_in` inputs have `gain`² times the inputs' mean square (He et al. 2015).
inline std::vector<float> he_weights(std::size_t count, std::size_t fan_in, double gain,
                                     RandomValues& random) {
  return random.normals(count, gain / std::sqrt(static_cast<double>(fan_in)));
}

/// Filters that mostly ignore the spectrogram's level, which is the larger part of it, and see its changes.
inline std::vector<float> stem_weights(std::size_t count, std::size_t fan_in, RandomValues& random) {
  std::vector<float> weights = he_weights(count, fan_in, 6.0, random);
  for (std::size_t first = 0; first < count; first += fan_in) {
    double mean = 0.0;
    for (std::size_t i = 0; i < fan_in; ++i) mean += weights[first + i] / static_cast<double>(fan_in);
    for (std::size_t i = 0; i < fan_in; ++i) weights[first + i] -= static_cast<float>(0.8 * mean);
  }
  return weights;
}

/// `rows` vectors of unit length, [rows, width].
inline std::vector<float> unit_vectors(std::size_t rows, std::size_t width, RandomValues& random) {
  std::vector<float> values = random.normals(rows * width, 1.0);
  for (std::size_t row = 0; row < rows; ++row) {
    double squares = 0.0;
    for (std::size_t i = 0; i < width; ++i)
      squares += double(values[row * width + i]) * values[row * width + i];
    const double inverse = 1.0 / std::sqrt(std::max(squares, 1e-30));
    for (std::size_t i = 0; i < width; ++i)
      values[row * width + i] = static_cast<float>(values[row * width + i] * inverse);
  }
  return values;
}

/// Of the 1x1 convolution that ends a block: small where a skip adds to it, so that a trunk of many blocks
/// neither grows nor loses what the first ones saw.
inline double project_gain(const std::string& name, const Architecture& architecture) {
  const std::size_t block = std::stoul(name.substr(std::string("blocks.").size()));
  return architecture.blocks[block].has_skip ? 0.3 : 1.68;
}

/// The values of one tensor of required_tensors(), by its name.
inline std::vector<float> random_values(const TensorSpec& spec, const Architecture& architecture,
                                        RandomValues& random) {
  const std::string& name = spec.name;
  const auto count = static_cast<std::size_t>(element_count(spec.shape).value());
  const std::size_t fan_in = count / static_cast<std::size_t>(spec.shape.front());
  if (name == "frontend.window") return hann_window(architecture.frontend.frame_length);
  if (name == "frontend.mel") return mel_filterbank(architecture.frontend);
  if (name == "label.prototypes")
    return unit_vectors(count / architecture.head.channels, architecture.head.channels, random);
  if (name == "label.scale") {
    std::vector<float> scale = random.normals(count, 1.0, 1.0);
    for (float& value : scale) value = std::max(value, 0.0f);
    return scale;
  }
  if (name == "label.bias") return random.normals(count, 0.5, -1.0);
  if (name.ends_with("se.expand.bias")) return random.normals(count, 0.5, 1.0);  // gates mostly open
  if (name.ends_with("bias")) return random.normals(count, 0.05);
  if (name == "stem.weight") return stem_weights(count, fan_in, random);
  if (name.ends_with("se.reduce.weight") || name.ends_with("se.expand.weight"))
    return he_weights(count, fan_in, 0.3, random);
  if (name.ends_with("project.weight"))
    return he_weights(count, fan_in, project_gain(name, architecture), random);
  return he_weights(count, fan_in, 1.68, random);
}

/// A valid model with random weights, scaled so that activations stay within some 0.1 to 50 from the stem to
/// the head and one recording can be told from another there. Equal seeds give equal models.
inline Model random_model(const Architecture& architecture, std::uint64_t seed) {
  RandomValues random(seed);
  Model model{architecture, {}, {"random.onnx", std::string(64, '0'), "onnx"}, {}};
  for (std::size_t i = 0; i < architecture.label.classes; ++i)
    model.labels.push_back("Species " + std::to_string(i));
  for (const TensorSpec& spec : required_tensors(architecture))
    model.tensors.emplace(spec.name, make_tensor(spec.shape, random_values(spec, architecture, random)));
  return model;
}

}  // namespace pantanal::perch::fixtures
