// Architecture: everything about a Perch v2 model that is not a weight. Read from a model file's metadata,
// never assumed: released files and reduced ones differ in widths, activations and class count. Source: van
// Merriënboer et al. 2025, "Perch 2.0", arXiv:2508.04665; Tan & Le 2019, arXiv:1905.11946.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace pantanal::perch {

/// Elementwise nonlinearity. swish(x) = x·σ(x), also called SiLU.
enum class Activation { none, relu, swish };

/// Samples to log-mel spectrogram. All counts in samples or bins.
struct Frontend {
  std::size_t samples = 160000;     ///< per window
  std::size_t sample_rate = 32000;  ///< Hz
  std::size_t frame_length = 640;
  std::size_t hop_length = 320;
  std::size_t pad_left = 160, pad_right = 160;  ///< zeros around the window
  std::size_t fft_size = 1024;                  ///< a power of two, at least frame_length
  std::size_t mel_bands = 128;
  float floor = 1e-5f;  ///< mel magnitudes below it are raised to it
  float scale = 0.1f;   ///< spectrogram = scale · ln(max(mel, floor))

  std::size_t frames() const { return (samples + pad_left + pad_right - frame_length) / hop_length + 1; }
  std::size_t bins() const { return fft_size / 2 + 1; }
};

/// Spatial extents, height is time and width is frequency.
struct Extent {
  std::size_t height = 0, width = 0;
  std::size_t positions() const { return height * width; }
  bool operator==(const Extent&) const = default;
};

/// Zeros added around an image, in ONNX's order: begin (h, w), then end (h, w).
struct Pads {
  std::size_t top = 0, left = 0, bottom = 0, right = 0;
  bool operator==(const Pads&) const = default;
};

/// A square-kernel, equal-stride 2-D convolution's geometry.
struct ConvGeometry {
  std::size_t kernel = 3, stride = 1;
  Pads pads;

  /// Output extent. The padded input must be at least as large as the kernel.
  Extent output(Extent in) const {
    return {(in.height + pads.top + pads.bottom - kernel) / stride + 1,
            (in.width + pads.left + pads.right - kernel) / stride + 1};
  }
};

/// First convolution, 1 -> channels.
struct Stem {
  ConvGeometry conv{3, 2, {}};
  std::size_t channels = 40;
  Activation activation = Activation::swish;
};

/// Inverted residual block (MBConv) with squeeze-and-excite.
struct Block {
  std::size_t in_channels = 0, expanded_channels = 0, out_channels = 0, se_channels = 0;
  bool has_expand = true;  ///< false: expanded_channels == in_channels and there is no 1x1 expansion
  bool has_skip = false;   ///< adds the block's input to its output
  ConvGeometry depthwise;
  Activation expand_activation = Activation::swish;
  Activation depthwise_activation = Activation::swish;
  Activation se_activation = Activation::swish;
};

/// Last 1x1 convolution; its mean over positions is the embedding.
struct Head {
  std::size_t channels = 1536;
  Activation activation = Activation::swish;
};

/// Prototype classifier: logit_c = Σ_p scale_cp · max over positions of ⟨x/(‖x‖+eps), prototype_cp⟩ + bias_c.
struct LabelHead {
  std::size_t classes = 0;     ///< 0: the model has no label head
  std::size_t prototypes = 4;  ///< per class
  float eps = 1e-5f;
};

struct Architecture {
  Frontend frontend;
  Stem stem;
  std::vector<Block> blocks;
  Head head;
  LabelHead label;

  /// Extent of the spectrogram: frames x mel bands.
  Extent spectrogram_extent() const { return {frontend.frames(), frontend.mel_bands}; }

  /// Extent after the stem and after each block: blocks.size() + 1 entries. The last is spatial_embedding's.
  std::vector<Extent> extents() const {
    std::vector<Extent> all{stem.conv.output(spectrogram_extent())};
    for (const Block& block : blocks) all.push_back(block.depthwise.output(all.back()));
    return all;
  }
};

}  // namespace pantanal::perch
