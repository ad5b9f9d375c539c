// Files for the tests of audio/: the committed recordings, WAV files with chosen headers, and what is heard
// in them.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audio/ogg_writer.hpp"
#include "io/temporary_folder.hpp"
#include "pantanal/audio/open.hpp"

namespace pantanal::audio {

/// What the test program holds, and held at most, of memory (see open_test.cpp).
extern std::atomic<std::size_t> live_bytes, peak_bytes;

/// A file made by make_fixtures.py.
inline std::filesystem::path golden(std::string_view name) {
  return std::filesystem::path(PANTANAL_SOURCE_DIR) / "tests/golden/audio" / name;
}

inline Bytes bytes_of(const std::filesystem::path& path) {
  const std::string text = read_bytes(path);
  return {text.begin(), text.end()};
}

/// Writes a file into `folder` and returns its path.
inline std::filesystem::path write(const TemporaryFolder& folder, std::string_view name,
                                   std::span<const std::uint8_t> bytes) {
  write_bytes(folder / name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return folder / name;
}

/// The samples in a .f32 file.
inline std::vector<float> golden_samples(std::string_view name) {
  const Bytes bytes = bytes_of(golden(name));
  std::vector<float> samples(bytes.size() / 4);
  for (std::size_t i = 0; i < samples.size(); ++i)
    samples[i] = std::bit_cast<float>(little_endian<std::uint32_t>(&bytes[4 * i]));
  return samples;
}

/// What a source gave, and how it ended.
struct Heard {
  Format format;
  std::vector<float> samples;  ///< interleaved
  std::optional<Error> error;

  std::size_t frames() const { return samples.size() / format.channels; }
};

/// Reads a source to its end or error, `block` frames at a time.
inline Heard hear(Source& source, std::size_t block = 1000) {
  Heard heard{.format = source.format(), .samples = {}, .error = {}};
  std::vector<float> frames(block * heard.format.channels);
  for (;;) {
    const auto count = source.read(frames);
    if (!count) heard.error = count.error();
    if (!count || *count == 0) return heard;
    heard.samples.insert(heard.samples.end(), frames.begin(),
                         frames.begin() + static_cast<std::ptrdiff_t>(*count * heard.format.channels));
  }
}

/// Opens and reads a file; an error of either is in `error`.
inline Heard hear(const std::filesystem::path& path, std::size_t block = 1000) {
  const auto source = open_audio(path);
  if (source) return hear(**source, block);
  return {.format = {}, .samples = {}, .error = source.error()};
}

/// Some samples, one channel, given from memory: what sits on top of sources is tested with it.
class MemorySource final : public Source {
 public:
  MemorySource(std::vector<float> samples, std::uint32_t rate, std::uint32_t channels = 1,
               std::optional<Error> end = {})
      : samples_(std::move(samples)), end_(std::move(end)) {
    format_ = {.name = "memory",
               .encoding = "memory",
               .sample_rate = rate,
               .channels = channels,
               .frames = samples_.size() / channels};
  }
  const Format& format() const override { return format_; }

 private:
  Result<std::size_t> read_some(std::span<float> interleaved) override {
    const std::size_t count =
        std::min({interleaved.size(), samples_.size() - at_, 300 * std::size_t{format_.channels}});
    std::copy_n(samples_.begin() + static_cast<std::ptrdiff_t>(at_), count, interleaved.begin());
    at_ += count;
    if (count == 0 && end_) return *end_;
    return count / format_.channels;
  }
  std::vector<float> samples_;
  std::optional<Error> end_;
  std::size_t at_ = 0;
  Format format_;
};

inline Bytes chunk(std::string_view id, const Bytes& content) {
  Bytes bytes(id.begin(), id.end());
  put(bytes, static_cast<std::uint32_t>(content.size()));
  bytes.insert(bytes.end(), content.begin(), content.end());
  if (content.size() % 2 != 0) bytes.push_back(0);
  return bytes;
}

/// The fields of a fmt chunk of 16 bytes. frame_bytes follows from the others if it is negative.
struct FmtSpec {
  std::uint16_t tag = 1, channels = 1;
  std::uint32_t sample_rate = 32000;
  std::uint16_t bits = 16;
  int frame_bytes = -1;
};

inline Bytes fmt_chunk(const FmtSpec& fmt = {}) {
  const auto frame_bytes =
      static_cast<std::uint16_t>(fmt.frame_bytes < 0 ? fmt.channels * ((fmt.bits + 7) / 8) : fmt.frame_bytes);
  Bytes content;
  put(content, fmt.tag);
  put(content, fmt.channels);
  put(content, fmt.sample_rate);
  put(content, fmt.sample_rate * frame_bytes);
  put(content, frame_bytes);
  put(content, fmt.bits);
  return chunk("fmt ", content);
}

/// A WAV file of these chunks whose RIFF size is right unless given.
inline Bytes riff(const std::vector<Bytes>& chunks, std::optional<std::uint32_t> size = {},
                  std::string_view form = "RIFF") {
  const Bytes content = joined(chunks);
  Bytes file(form.begin(), form.end());
  put(file, size.value_or(static_cast<std::uint32_t>(content.size() + 4)));
  for (const char c : std::string_view("WAVE")) file.push_back(static_cast<std::uint8_t>(c));
  file.insert(file.end(), content.begin(), content.end());
  return file;
}

/// A data chunk whose header states `size` bytes, whatever it holds.
inline Bytes data_chunk(std::uint32_t size, const Bytes& content) {
  Bytes bytes = {'d', 'a', 't', 'a'};
  put(bytes, size);
  bytes.insert(bytes.end(), content.begin(), content.end());
  return bytes;
}

inline Bytes wav_file(const FmtSpec& fmt, const Bytes& samples) {
  return riff({fmt_chunk(fmt), chunk("data", samples)});
}

/// A WAV file of 32-bit float samples.
inline Bytes float_wav(std::span<const float> samples, std::uint32_t rate = 32000,
                       std::uint16_t channels = 1) {
  Bytes bytes;
  for (const float x : samples) put(bytes, std::bit_cast<std::uint32_t>(x));
  return wav_file({.tag = 3, .channels = channels, .sample_rate = rate, .bits = 32}, bytes);
}

}  // namespace pantanal::audio
