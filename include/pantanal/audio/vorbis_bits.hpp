// VorbisBits: the bits of a Vorbis packet. Source: Xiph.Org Foundation, "Vorbis I specification" (2020),
// section 2.
#pragma once

#include <cstdint>
#include <span>

namespace pantanal::audio {

/// Reads bits, the lowest of each byte first. Past the end there are zeros, and exhausted() tells.
class VorbisBits {
 public:
  explicit VorbisBits(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  /// The next `count` bits, 32 at most, as a number.
  std::uint32_t read(unsigned count) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < count; ++i, ++position_)
      if (position_ / 8 < bytes_.size())
        value |= (std::uint32_t{bytes_[static_cast<std::size_t>(position_ / 8)]} >> position_ % 8 & 1u) << i;
    return value;
  }
  bool flag() { return read(1) != 0; }
  void skip(std::uint64_t count) { position_ += count; }

  /// Whether more bits were read than there are.
  bool exhausted() const { return position_ > 8 * std::uint64_t{bytes_.size()}; }

 private:
  std::span<const std::uint8_t> bytes_;
  std::uint64_t position_ = 0;
};

}  // namespace pantanal::audio
