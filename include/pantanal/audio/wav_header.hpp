// The header of a WAV file: RIFF, or RF64/BW64 for files past 4 GiB (EBU Tech 3306, ITU-R BS.2088).
// Source: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0" (1991) and
// WAVEFORMATEXTENSIBLE.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "pantanal/audio/byte_reader.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::audio {

/// How one sample is stored, least significant byte first.
enum class WavSample { unsigned8, signed16, signed24, signed32, float32, float64 };

struct WavHeader {
  WavSample sample = WavSample::signed16;
  std::uint32_t sample_rate = 0;  ///< Hz
  std::uint32_t channels = 0;
  std::uint32_t frame_bytes = 0;  ///< of one sample of each channel
  std::uint64_t data_begin = 0;   ///< position of the first sample in the file
  std::uint64_t data_bytes = 0;   ///< of samples, as stated: a file that was cut short holds fewer
};

/// Reads a header from the start of a file that begins with RIFF, RF64 or BW64, skipping chunks it has no use
/// for.
///
/// A recorder that lost power, or one that writes to a pipe, leaves the data chunk's size at 0, 0xFFFFFFFF or
/// some 2 GiB: the samples then last up to the end of the file. A size of 0 in a file whose total is right
/// means what it says. Errors: corrupt, or unsupported with the encoding's name.
Result<WavHeader> read_wav_header(ByteReader& file);

namespace detail {

constexpr std::uint32_t unknown_size = 0xffffffff;   // stands where RF64 has it elsewhere, or nobody knew
constexpr std::uint32_t largest_guess = 0x7fff0000;  // arecord states 2 GiB or somewhat less until it ends
constexpr int most_wav_chunks = 10'000;              // a file of empty chunks must not keep us for hours

inline Error wav_error(const std::string& name, std::string found, std::string expected,
                       ErrorCode code = ErrorCode::corrupt) {
  return {code, name, std::move(found), std::move(expected)};
}

/// A chunk's four letters, fit for a message.
inline std::string printable(std::string_view id) {
  std::string text = "'";
  for (const char c : id) text += c >= ' ' && c <= '~' ? c : '?';
  return text + "'";
}

inline std::string wav_encoding_name(std::uint16_t tag) {
  switch (tag) {
    case 0x02:
      return "Microsoft ADPCM";
    case 0x06:
      return "A-law";
    case 0x07:
      return "mu-law";
    case 0x11:
      return "IMA ADPCM";
    case 0x31:
      return "GSM 6.10";
    case 0x50:
      return "MPEG layer 1 or 2";
    case 0x55:
      return "MP3";
    default:
      return "the encoding with format tag " + std::to_string(tag);
  }
}

inline std::optional<WavSample> wav_sample(std::uint16_t tag, std::uint32_t bytes) {
  constexpr std::uint16_t pcm = 1, ieee_float = 3;
  if (tag == pcm && bytes == 1) return WavSample::unsigned8;
  if (tag == pcm && bytes == 2) return WavSample::signed16;
  if (tag == pcm && bytes == 3) return WavSample::signed24;
  if (tag == pcm && bytes == 4) return WavSample::signed32;
  if (tag == ieee_float && bytes == 4) return WavSample::float32;
  if (tag == ieee_float && bytes == 8) return WavSample::float64;
  return std::nullopt;
}

/// The fmt chunk's first bytes (at least 16, at most 40) into `header`. `name` is the file's, for errors.
inline Status parse_wav_format(const std::string& name, std::span<const std::uint8_t> chunk,
                               WavHeader& header) {
  constexpr std::uint16_t extensible = 0xfffe;
  auto tag = little_endian<std::uint16_t>(&chunk[0]);
  header.channels = little_endian<std::uint16_t>(&chunk[2]);
  header.sample_rate = little_endian<std::uint32_t>(&chunk[4]);
  header.frame_bytes = little_endian<std::uint16_t>(&chunk[12]);
  const std::uint32_t bits = little_endian<std::uint16_t>(&chunk[14]);
  if (tag == extensible) {
    // The rest of every GUID that stands for a format tag, as it is stored.
    constexpr std::array<std::uint8_t, 14> tail = {0, 0, 0,    0, 0x10, 0,    0x80,
                                                   0, 0, 0xaa, 0, 0x38, 0x9b, 0x71};
    if (chunk.size() < 40)
      return wav_error(name, "an extensible fmt chunk of " + std::to_string(chunk.size()) + " bytes", "40");
    if (std::memcmp(&chunk[26], tail.data(), tail.size()) != 0)
      return wav_error(name, "an extensible format of unknown GUID", "PCM or IEEE float",
                       ErrorCode::unsupported);
    tag = little_endian<std::uint16_t>(&chunk[24]);
  }
  if (header.channels == 0 || header.frame_bytes == 0 || header.frame_bytes % header.channels != 0)
    return wav_error(name,
                     std::to_string(header.channels) + " channels in frames of " +
                         std::to_string(header.frame_bytes) + " bytes",
                     "a whole number of bytes for each channel");
  const std::uint32_t bytes = header.frame_bytes / header.channels;
  if (tag == 1 || tag == 3) {
    // The stated bits, 20 for example, are the upper ones of whole bytes.
    if ((bits + 7) / 8 != bytes)
      return wav_error(name,
                       std::to_string(bits) + "-bit samples in " + std::to_string(bytes) + " bytes each",
                       "the fewest bytes that hold them");
    if (const auto sample = wav_sample(tag, bytes)) {
      header.sample = *sample;
      return {};
    }
    return wav_error(name, std::to_string(bits) + (tag == 1 ? "-bit PCM" : "-bit float"),
                     "PCM of 8, 16, 24 or 32 bits, or float of 32 or 64", ErrorCode::unsupported);
  }
  return wav_error(name, wav_encoding_name(tag), "PCM or IEEE float", ErrorCode::unsupported);
}

/// What the container states about sizes, before the data chunk is reached.
struct WavSizes {
  bool wide = false;                        // RF64 or BW64
  std::uint64_t total = 0;                  // bytes after the first eight
  std::optional<std::uint64_t> data_bytes;  // from the ds64 chunk
};

/// Bytes of samples in a data chunk at `begin` whose header states `stated`.
inline Result<std::uint64_t> wav_data_bytes(const ByteReader& file, const WavSizes& sizes,
                                            std::uint64_t begin, std::uint64_t stated) {
  const std::uint64_t left = file.size() - begin;
  if (sizes.wide && stated == unknown_size && sizes.data_bytes) stated = *sizes.data_bytes;
  const bool total_is_right = sizes.total + 8 == file.size();
  if (stated == unknown_size || stated == ~std::uint64_t{0} || (stated == 0 && !total_is_right)) return left;
  if (!sizes.wide && stated >= largest_guess && stated > left) return left;
  if (!sizes.wide && left > stated && left - stated > unknown_size)
    return wav_error(file.name(),
                     "more than 4 GiB after a data chunk that states " + std::to_string(stated) + " bytes",
                     "RF64, since a RIFF header cannot state the size of such a file");
  return stated;
}

/// Takes what a chunk before the data says; all but fmt and ds64 say nothing.
inline Status read_wav_chunk(ByteReader& file, std::string_view id, std::uint64_t size, WavSizes& sizes,
                             WavHeader& header) {
  if (id != "fmt " && id != "ds64") return {};
  std::array<std::uint8_t, 40> bytes;
  const std::size_t wanted = size < bytes.size() ? static_cast<std::size_t>(size) : bytes.size();
  PANTANAL_TRY(const std::size_t length, file.read(std::span(bytes).first(wanted)));
  if (length < 16)
    return wav_error(file.name(), "a chunk " + printable(id) + " of " + std::to_string(length) + " bytes",
                     "16 or more");
  if (id == "fmt ") return parse_wav_format(file.name(), std::span(bytes).first(length), header);
  if (sizes.wide) {
    sizes.total = little_endian<std::uint64_t>(&bytes[0]);
    sizes.data_bytes = little_endian<std::uint64_t>(&bytes[8]);
  }
  return {};
}

}  // namespace detail

inline Result<WavHeader> read_wav_header(ByteReader& file) {
  using namespace detail;
  std::array<std::uint8_t, 12> bytes;
  const auto text = [&bytes](std::size_t at) {
    return std::string_view(reinterpret_cast<const char*>(&bytes[at]), 4);
  };
  PANTANAL_TRY_STATUS(file.seek(0));
  PANTANAL_TRY(const std::size_t begun, file.read(bytes));
  if (begun < 12 || text(8) != "WAVE") return wav_error(file.name(), "a RIFF file of another kind", "WAVE");
  WavSizes sizes{
      .wide = text(0) != "RIFF", .total = little_endian<std::uint32_t>(&bytes[4]), .data_bytes = {}};

  WavHeader header;
  for (int chunk = 0; chunk < most_wav_chunks; ++chunk) {
    PANTANAL_TRY(const std::size_t got, file.read(std::span(bytes).first(8)));
    if (got < 8) return wav_error(file.name(), "the end of the file", "a data chunk");
    const std::string id(text(0));
    const std::uint64_t begin = file.position();
    const std::uint64_t size = little_endian<std::uint32_t>(&bytes[4]);
    if (id == "data") {
      if (header.frame_bytes == 0)
        return wav_error(file.name(), "a data chunk before any fmt chunk", "fmt first");
      header.data_begin = begin;
      PANTANAL_TRY(header.data_bytes, wav_data_bytes(file, sizes, begin, size));
      return header;
    }
    const std::uint64_t end = begin + size + size % 2;  // chunks start at even positions
    if (end > file.size())
      return wav_error(file.name(),
                       "the chunk " + printable(id) + " of " + std::to_string(size) + " bytes at byte " +
                           std::to_string(begin - 8) + ", which passes the end of the file",
                       "a data chunk");
    PANTANAL_TRY_STATUS(read_wav_chunk(file, id, size, sizes, header));
    PANTANAL_TRY_STATUS(file.seek(end));
  }
  return wav_error(file.name(), "more than " + std::to_string(most_wav_chunks) + " chunks",
                   "a data chunk among them");
}

}  // namespace pantanal::audio
