// WavSource: the samples of a WAV file, read as it streams by.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/audio/byte_reader.hpp"
#include "pantanal/audio/source.hpp"
#include "pantanal/audio/wav_header.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::audio {

/// `count` stored samples as floats. Integers of b bits are divided by 2^(b-1), so that full scale is [-1,
/// 1); 8-bit ones are unsigned with 128 as zero; floats stay as they are (a double beyond float's range
/// becomes inf).
void decode_wav_samples(const std::uint8_t* bytes, WavSample sample, std::size_t count, float* out);

/// A file whose data chunk states more samples than the file holds breaks after the last whole frame that is
/// there.
class WavSource final : public Source {
 public:
  /// Takes a file that begins with RIFF, RF64 or BW64. Errors: those of read_wav_header and check_format.
  static Result<std::unique_ptr<Source>> open(ByteReader file) {
    PANTANAL_TRY(const WavHeader header, read_wav_header(file));
    std::unique_ptr<WavSource> source(new WavSource(std::move(file), header));
    PANTANAL_TRY_STATUS(check_format(source->format_));
    return std::unique_ptr<Source>(std::move(source));
  }

  const Format& format() const override { return format_; }

 private:
  static constexpr std::size_t block_bytes = 1 << 15;

  WavSource(ByteReader file, const WavHeader& header);

  Result<std::size_t> read_some(std::span<float> interleaved) override;
  Error cut_short() const;

  ByteReader file_;
  WavHeader header_;
  Format format_;
  std::vector<std::uint8_t> block_;
};

namespace detail {

inline const char* to_string(WavSample sample) {
  switch (sample) {
    case WavSample::unsigned8:
      return "WAV, 8-bit PCM";
    case WavSample::signed16:
      return "WAV, 16-bit PCM";
    case WavSample::signed24:
      return "WAV, 24-bit PCM";
    case WavSample::signed32:
      return "WAV, 32-bit PCM";
    case WavSample::float32:
      return "WAV, 32-bit float";
    case WavSample::float64:
      return "WAV, 64-bit float";
  }
  return "WAV";
}

/// Calls decode(bytes of one sample) for each of `count` samples of `size` bytes.
template <std::size_t size, class Decode>
void decode_each(const std::uint8_t* bytes, std::size_t count, float* out, Decode decode) {
  for (std::size_t i = 0; i < count; ++i) out[i] = decode(bytes + i * size);
}

/// A 32-bit sample, the narrower ones in its upper bits, in units of full scale.
inline float full_scale(std::uint32_t bits) {
  return static_cast<float>(static_cast<std::int32_t>(bits)) * 0x1p-31f;
}

}  // namespace detail

inline void decode_wav_samples(const std::uint8_t* bytes, WavSample sample, std::size_t count, float* out) {
  using namespace detail;
  using Byte = std::uint8_t;
  switch (sample) {
    case WavSample::unsigned8:
      return decode_each<1>(bytes, count, out,
                            [](const Byte* b) { return static_cast<float>(*b - 128) * 0x1p-7f; });
    case WavSample::signed16:
      return decode_each<2>(bytes, count, out, [](const Byte* b) {
        return full_scale(std::uint32_t{little_endian<std::uint16_t>(b)} << 16);
      });
    case WavSample::signed24:
      return decode_each<3>(bytes, count, out, [](const Byte* b) {
        return full_scale(std::uint32_t{b[0]} << 8 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 24);
      });
    case WavSample::signed32:
      return decode_each<4>(bytes, count, out,
                            [](const Byte* b) { return full_scale(little_endian<std::uint32_t>(b)); });
    case WavSample::float32:
      return decode_each<4>(bytes, count, out, [](const Byte* b) {
        return std::bit_cast<float>(little_endian<std::uint32_t>(b));
      });
    case WavSample::float64:
      return decode_each<8>(bytes, count, out, [](const Byte* b) {
        return static_cast<float>(std::bit_cast<double>(little_endian<std::uint64_t>(b)));
      });
  }
}

inline WavSource::WavSource(ByteReader file, const WavHeader& header)
    : file_(std::move(file)), header_(header) {
  format_ = {.name = file_.name(),
             .encoding = detail::to_string(header.sample),
             .sample_rate = header.sample_rate,
             .channels = header.channels,
             .frames = header.data_bytes / header.frame_bytes};
  block_.resize(std::max<std::size_t>(block_bytes, header.frame_bytes));
}

/// At most one block's worth.
inline Result<std::size_t> WavSource::read_some(std::span<float> interleaved) {
  const std::size_t frames = static_cast<std::size_t>(
      std::min<std::uint64_t>({interleaved.size() / format_.channels, block_.size() / header_.frame_bytes,
                               *format_.frames - frames_read()}));
  PANTANAL_TRY(const std::size_t bytes, file_.read(std::span(block_).first(frames * header_.frame_bytes)));
  const std::size_t whole = bytes / header_.frame_bytes;
  if (whole == 0 && frames > 0) return cut_short();
  decode_wav_samples(block_.data(), header_.sample, whole * format_.channels, interleaved.data());
  return whole;
}

inline Error WavSource::cut_short() const {
  return {ErrorCode::corrupt, format_.name,
          "a file cut short: its data chunk states " + std::to_string(header_.data_bytes) +
              " bytes and has " + std::to_string(file_.size() - header_.data_begin) + " (" +
              std::to_string(frames_read()) + " frames)",
          "as many samples as stated"};
}

}  // namespace pantanal::audio
