// The headers of a Vorbis stream: what they tell, and whether they are whole.
// Source: Xiph.Org Foundation, "Vorbis I specification" (2020), section 4.2.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "pantanal/audio/byte_reader.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::audio {

/// The three headers of a stream, by the number their packets begin with.
enum class VorbisHeader : std::uint8_t { identification = 1, comment = 3, setup = 5 };

/// What the headers say, as far as a caller of the decoder needs it.
struct VorbisInfo {
  std::uint32_t channels = 0, sample_rate = 0;  ///< sample_rate in Hz
  std::array<std::uint32_t, 2> block_sizes{};   ///< frames that a short and a long block span
  std::vector<std::uint8_t> mode_blocks;  ///< for each mode of the setup header, 0 for short and 1 for long
};

/// The decoder's limit.
inline constexpr std::uint32_t most_vorbis_channels = 16;

inline bool is_vorbis_header(std::span<const std::uint8_t> packet, VorbisHeader type) {
  return packet.size() >= 7 && packet[0] == static_cast<std::uint8_t>(type) &&
         std::memcmp(&packet[1], "vorbis", 6) == 0;
}

/// Reads the first header into all of VorbisInfo but the modes. Errors: corrupt; unsupported for many
/// channels.
inline Result<VorbisInfo> read_vorbis_identification(std::span<const std::uint8_t> packet,
                                                     const std::string& name) {
  const auto corrupt = [&name](std::string found, std::string expected) {
    return Error{ErrorCode::corrupt, name, "Vorbis identification header: " + found, expected};
  };
  if (!is_vorbis_header(packet, VorbisHeader::identification) || packet.size() != 30)
    return corrupt(std::to_string(packet.size()) + " bytes", "30");
  if (const auto version = little_endian<std::uint32_t>(&packet[7]); version != 0)
    return Error{ErrorCode::unsupported, name, "Vorbis version " + std::to_string(version),
                 "0, which is Vorbis I"};
  VorbisInfo info;
  info.channels = packet[11];
  info.sample_rate = little_endian<std::uint32_t>(&packet[12]);
  info.block_sizes = {1u << (packet[28] & 15), 1u << (packet[28] >> 4)};
  if (info.block_sizes[0] < 64 || info.block_sizes[0] > info.block_sizes[1] || info.block_sizes[1] > 8192)
    return corrupt(
        "blocks of " + std::to_string(info.block_sizes[0]) + " and " + std::to_string(info.block_sizes[1]),
        "64 to 8192 frames, the first no longer than the second");
  if ((packet[29] & 1) == 0) return corrupt("no framing bit", "one");
  if (info.channels > most_vorbis_channels)
    return Error{ErrorCode::unsupported, name, "Vorbis with " + std::to_string(info.channels) + " channels",
                 "at most " + std::to_string(most_vorbis_channels)};
  return info;
}

}  // namespace pantanal::audio
