// Which architectures make sense: the bounds within which sizes neither overflow nor ask for absurd memory.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "pantanal/core/result.hpp"
#include "pantanal/perch/architecture.hpp"

namespace pantanal::perch {

/// Upper bounds of an architecture's fields. Released models stay far below them.
struct ArchitectureLimits {
  static constexpr std::size_t samples = 1u << 24;
  static constexpr std::size_t sample_rate = 1'000'000;
  static constexpr std::size_t fft_size = 1u << 16;
  static constexpr std::size_t mel_bands = 4096;
  static constexpr std::size_t kernel = 15;
  static constexpr std::size_t stride = 4;
  static constexpr std::size_t channels = 1u << 16;
  static constexpr std::size_t blocks = 256;
  static constexpr std::size_t classes = 1u << 20;
  static constexpr std::size_t prototypes = 64;
  static constexpr std::size_t image = 1u << 28;  ///< values in one window's image, at any layer
};

namespace detail {

/// Walks an architecture in the order the signal takes and keeps the first thing that is wrong with it.
class ArchitectureValidator {
 public:
  explicit ArchitectureValidator(std::string_view where) : where_(where) {}

  Status operator()(const Architecture& architecture) && {
    check(architecture.frontend);
    if (!status_) return status_;  // the spectrogram has no extent
    Extent extent = architecture.spectrogram_extent();
    check(architecture.stem, extent);
    in_range("blocks", architecture.blocks.size(), 1, ArchitectureLimits::blocks);
    std::size_t channels = architecture.stem.channels;
    for (std::size_t i = 0; status_ && i < architecture.blocks.size(); ++i) {
      check(architecture.blocks[i], "blocks[" + std::to_string(i) + "]", extent, channels);
      channels = architecture.blocks[i].out_channels;
    }
    in_range("head.channels", architecture.head.channels, 1, ArchitectureLimits::channels);
    image("head", extent, architecture.head.channels);
    check(architecture.label);
    return std::move(status_);
  }

 private:
  void check(const Frontend& f) {
    using Limits = ArchitectureLimits;
    in_range("frontend.samples", f.samples, 1, Limits::samples);
    in_range("frontend.sample_rate", f.sample_rate, 1, Limits::sample_rate);
    in_range("frontend.fft_size", f.fft_size, 2, Limits::fft_size);
    require(std::has_single_bit(f.fft_size), "frontend.fft_size", std::to_string(f.fft_size),
            "a power of two");
    in_range("frontend.frame_length", f.frame_length, 1, f.fft_size);
    in_range("frontend.hop_length", f.hop_length, 1, Limits::samples);
    in_range("frontend.pad_left", f.pad_left, 0, f.frame_length);
    in_range("frontend.pad_right", f.pad_right, 0, f.frame_length);
    in_range("frontend.mel_bands", f.mel_bands, 1, Limits::mel_bands);
    require(f.samples + f.pad_left + f.pad_right >= f.frame_length, "frontend.samples",
            std::to_string(f.samples) + " and the pads", "at least frame_length");
    require(std::isfinite(f.floor) && f.floor > 0, "frontend.floor", std::to_string(f.floor),
            "a finite number above 0");
    require(std::isfinite(f.scale), "frontend.scale", std::to_string(f.scale), "a finite number");
  }

  void check(const Stem& stem, Extent& extent) {
    in_range("stem.channels", stem.channels, 1, ArchitectureLimits::channels);
    convolve("stem.conv", stem.conv, extent);
    image("stem", extent, stem.channels);
  }

  void check(const Block& block, const std::string& name, Extent& extent, std::size_t channels) {
    constexpr std::size_t most = ArchitectureLimits::channels;
    require(block.in_channels == channels, name + ".in_channels", std::to_string(block.in_channels),
            std::to_string(channels) + ", as the layer before it gives");
    in_range(name + ".expanded_channels", block.expanded_channels, 1, most);
    in_range(name + ".out_channels", block.out_channels, 1, most);
    in_range(name + ".se_channels", block.se_channels, 1, most);
    require(block.has_expand || block.expanded_channels == block.in_channels, name + ".expanded_channels",
            std::to_string(block.expanded_channels),
            "in_channels, " + std::to_string(block.in_channels) + ", since has_expand is false");
    image(name, extent, block.expanded_channels);
    const Extent before = extent;
    convolve(name + ".depthwise", block.depthwise, extent);
    image(name, extent, block.out_channels);
    require(!block.has_skip || (before == extent && block.in_channels == block.out_channels),
            name + ".has_skip", "true", "false, since the block's input and output differ in size");
  }

  void check(const LabelHead& label) {
    in_range("label.classes", label.classes, 0, ArchitectureLimits::classes);
    in_range("label.prototypes", label.prototypes, label.classes ? 1 : 0, ArchitectureLimits::prototypes);
    require(std::isfinite(label.eps) && label.eps > 0, "label.eps", std::to_string(label.eps),
            "a finite number above 0");
  }

  /// Checks the geometry and moves `extent` to the output.
  void convolve(const std::string& name, const ConvGeometry& conv, Extent& extent) {
    in_range(name + ".kernel", conv.kernel, 1, ArchitectureLimits::kernel);
    require(conv.kernel % 2 == 1, name + ".kernel", std::to_string(conv.kernel), "an odd number");
    in_range(name + ".stride", conv.stride, 1, ArchitectureLimits::stride);
    const Pads& pads = conv.pads;
    for (const std::size_t pad : {pads.top, pads.left, pads.bottom, pads.right})
      require(pad < conv.kernel, name + ".pads", std::to_string(pad), "less than the kernel");
    require(extent.height + pads.top + pads.bottom >= conv.kernel &&
                extent.width + pads.left + pads.right >= conv.kernel,
            name, "an input of " + std::to_string(extent.height) + " x " + std::to_string(extent.width),
            "one that, padded, is no smaller than the kernel, " + std::to_string(conv.kernel));
    if (status_) extent = conv.output(extent);
  }

  void image(const std::string& name, const Extent& extent, std::size_t channels) {
    const std::size_t size = extent.positions() * channels;
    require(size <= ArchitectureLimits::image, name, "an image of " + std::to_string(size) + " values",
            "at most " + std::to_string(ArchitectureLimits::image));
  }

  void in_range(const std::string& name, std::size_t value, std::size_t low, std::size_t high) {
    require(value >= low && value <= high, name, std::to_string(value),
            std::to_string(low) + " to " + std::to_string(high));
  }

  void require(bool holds, const std::string& name, std::string found, std::string expected) {
    if (holds || !status_) return;
    std::string where = where_ + (where_.empty() ? "architecture." : ": architecture.") + name;
    status_ = Error{ErrorCode::mismatch, std::move(where), std::move(found), std::move(expected)};
  }

  std::string where_;
  Status status_;
};

}  // namespace detail

/// Whether every field of `architecture` is within ArchitectureLimits, kernels are odd, pads smaller than the
/// kernel, no extent vanishes, channels agree from layer to layer, and flags agree with sizes. `where` starts
/// the error's, e.g. a file's name.
inline Status validate(const Architecture& architecture, std::string_view where = {}) {
  return detail::ArchitectureValidator(where)(architecture);
}

}  // namespace pantanal::perch
