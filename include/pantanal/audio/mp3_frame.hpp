// What the headers of MPEG layer III frames say.
// Sources: ISO/IEC 11172-3 (1993), section 2.4.1.3; ISO/IEC 13818-3 (1998), section 2.4.2.3; the Xing header
// and LAME's extension of it as LAME 3.100 writes them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "pantanal/core/result.hpp"

namespace pantanal::audio {

inline constexpr std::size_t mp3_header_bytes = 4, most_mp3_frame_bytes = 1441;

struct Mp3Frame {
  std::uint32_t sample_rate = 0, channels = 0;
  std::size_t bytes = 0;      ///< with its header
  std::size_t samples = 0;    ///< per channel
  std::size_t side_info = 0;  ///< bytes
};

namespace detail {

inline std::uint32_t big_endian32(const std::uint8_t* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 |
         bytes[3];
}

}  // namespace detail

/// The frame that begins with these four bytes. Errors, `where` empty: corrupt; unsupported for other layers
/// and for free format, which states no size.
inline Result<Mp3Frame> parse_mp3_frame(std::span<const std::uint8_t> bytes) {
  constexpr std::uint32_t kbits[2][15] = {{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
                                          {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}};
  constexpr std::uint32_t rates[] = {44100, 48000, 32000};
  const auto corrupt = [](const char* found) {
    return Error{ErrorCode::corrupt, {}, found, "the header of an MP3 frame"};
  };
  if (bytes.size() < mp3_header_bytes) return corrupt("fewer bytes than a header has");
  const std::uint32_t bits = detail::big_endian32(bytes.data());
  const std::uint32_t version = bits >> 19 & 3, layer = bits >> 17 & 3;  // 3: MPEG-1, 2: MPEG-2, 0: "2.5"
  const std::uint32_t bitrate = bits >> 12 & 15, rate = bits >> 10 & 3;
  if (bits >> 21 != 0x7ff || version == 1 || layer == 0) return corrupt("other bytes");
  if (layer != 1)
    return Error{
        ErrorCode::unsupported, {}, layer == 3 ? "MPEG audio layer I" : "MPEG audio layer II", "layer III"};
  if (bitrate == 0) return Error{ErrorCode::unsupported, {}, "MP3 of free format", "a stated bit rate"};
  if (bitrate == 15 || rate == 3) return corrupt("a reserved bit rate or sample rate");
  const bool is_full = version == 3, is_mono = (bits >> 6 & 3) == 3;
  Mp3Frame frame;
  frame.sample_rate = rates[rate] >> (version == 0 ? 2 : is_full ? 0 : 1);
  frame.channels = is_mono ? 1 : 2;
  frame.samples = is_full ? 1152 : 576;
  frame.bytes =
      frame.samples / 8 * 1000 * kbits[is_full ? 0 : 1][bitrate] / frame.sample_rate + (bits >> 9 & 1);
  frame.side_info = is_full ? (is_mono ? 17 : 32) : (is_mono ? 9 : 17);
  return frame;
}

/// What an encoder says of the whole file in a first frame that holds no sound.
struct Mp3Info {
  std::optional<std::uint64_t> frames;                     ///< that follow
  std::optional<std::uint32_t> added_before, added_after;  ///< samples that were none of the recording's
};

/// Of a whole first frame; nothing if it is one of sound.
inline std::optional<Mp3Info> parse_mp3_info(std::span<const std::uint8_t> bytes, const Mp3Frame& frame) {
  constexpr std::size_t table = 100, delays = 21;
  std::size_t at = mp3_header_bytes + frame.side_info;
  if (bytes.size() < at + 8) return std::nullopt;
  const std::string_view id(reinterpret_cast<const char*>(bytes.data()) + at, 4);
  if (id != "Xing" && id != "Info") return std::nullopt;
  const std::uint32_t flags = detail::big_endian32(&bytes[at + 4]);
  at += 8;
  Mp3Info info;
  if ((flags & 1) != 0 && bytes.size() >= at + 4) info.frames = detail::big_endian32(&bytes[at]);
  at += (flags & 1 ? 4u : 0u) + (flags & 2 ? 4u : 0u) + (flags & 4 ? table : 0u) + (flags & 8 ? 4u : 0u);
  if (bytes.size() < at + delays + 3 || bytes[at] < 'A' || bytes[at] > 'z') return info;
  const std::uint8_t* const three = &bytes[at + delays];
  info.added_before = std::uint32_t{three[0]} << 4 | std::uint32_t{three[1]} >> 4;
  info.added_after = (std::uint32_t{three[1]} & 15) << 8 | three[2];
  return info;
}

}  // namespace pantanal::audio
