// open_audio: a source for a file, whatever its name, by what it begins with.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "pantanal/audio/byte_reader.hpp"
#include "pantanal/audio/flac.hpp"
#include "pantanal/audio/mp3.hpp"
#include "pantanal/audio/source.hpp"
#include "pantanal/audio/vorbis.hpp"
#include "pantanal/audio/wav.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::audio {

/// Opens a WAV or Ogg Vorbis file, or, in a build with those, FLAC or MP3. Errors: those of ByteReader,
/// WavSource, VorbisSource, open_flac and open_mp3; unsupported for any other format, with its name and what
/// can be read.
Result<std::unique_ptr<Source>> open_audio(const std::filesystem::path& path);

namespace detail {

inline const char* readable_formats() {
  if (reads_flac()) return reads_mp3() ? "WAV, Ogg Vorbis, FLAC or MP3" : "WAV, Ogg Vorbis or FLAC";
  return reads_mp3() ? "WAV, Ogg Vorbis or MP3" : "WAV or Ogg Vorbis";
}

/// The name of the format that a file with these first bytes has, if it is one that a recording could have.
inline std::string_view other_audio_format(std::string_view head) {
  struct Signature {
    std::size_t at;
    std::string_view bytes, name;
  };
  using namespace std::string_view_literals;
  constexpr Signature signatures[] = {{0, "fLaC"sv, "FLAC"},
                                      {0, "ID3"sv, "MP3"},
                                      {0, "FORM"sv, "AIFF"},
                                      {0, "RIFX"sv, "big-endian WAV"},
                                      {0, "riff\x2e\x91\xcf\x11"sv, "Wave64"},
                                      {0, "caff"sv, "Core Audio (CAF)"},
                                      {0, ".snd"sv, "Sun AU"},
                                      {0, "wvpk"sv, "WavPack"},
                                      {4, "ftyp"sv, "MP4 (AAC or ALAC)"},
                                      {0, "\x1a\x45\xdf\xa3"sv, "Matroska or WebM"},
                                      {0, "\x30\x26\xb2\x75"sv, "Windows Media (ASF)"},
                                      {0, "MAC "sv, "Monkey's Audio"},
                                      {0, "#!AMR"sv, "AMR"}};
  for (const Signature& signature : signatures)
    if (head.size() > signature.at && head.substr(signature.at).starts_with(signature.bytes))
      return signature.name;
  // An MPEG frame: eleven ones, then a version and a layer that are not the reserved ones; layer 0 is AAC's.
  if (head.size() >= 2 && head[0] == '\xff' && (head[1] & 0xe0) == 0xe0 && (head[1] & 0x18) != 0x08)
    return (head[1] & 0x06) == 0 ? "AAC" : "MP3";
  return {};
}

}  // namespace detail

inline Result<std::unique_ptr<Source>> open_audio(const std::filesystem::path& path) {
  const char* const readable = detail::readable_formats();
  PANTANAL_TRY(ByteReader file, ByteReader::open(path));
  std::array<std::uint8_t, 12> bytes;
  PANTANAL_TRY(const std::size_t length, file.read(bytes));
  PANTANAL_TRY_STATUS(file.seek(0));
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()), length);
  if (head.starts_with("OggS")) return VorbisSource::open(std::move(file));
  if (head.starts_with("RIFF") || head.starts_with("RF64") || head.starts_with("BW64"))
    return WavSource::open(std::move(file));
  if (head.starts_with("fLaC")) return open_flac(std::move(file));
  if (detail::other_audio_format(head) == "MP3") return open_mp3(std::move(file));
  if (head.empty()) return Error{ErrorCode::corrupt, file.name(), "an empty file", readable};
  if (const std::string_view name = detail::other_audio_format(head); !name.empty())
    return Error{ErrorCode::unsupported, file.name(), "a file of type " + std::string(name), readable};
  return Error{ErrorCode::unsupported, file.name(), "a file of unknown type", readable};
}

}  // namespace pantanal::audio
