#include "pantanal/audio/mp3.hpp"

#if defined(PANTANAL_HAVE_MP3)
#include <mpg123.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "pantanal/audio/mp3_frame.hpp"

namespace pantanal::audio {
namespace {

/// Bytes at the end of a file that are no sound: an ID3v1 tag, an APE tag, lyrics, padding.
bool is_trailer(std::span<const std::uint8_t> head) {
  const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  for (const std::string_view tag : {"TAG", "APETAGEX", "LYRICSBEGIN", "3DI"})
    if (text.size() >= 3 && tag.starts_with(text.substr(0, tag.size()))) return true;
  return std::ranges::all_of(head, [](std::uint8_t byte) { return byte == 0; });
}

/// Goes behind ID3v2 tags and the zeros that may follow them.
Status skip_tags(ByteReader& file) {
  constexpr std::size_t header = 10, most_tags = 16, most_padding = 1 << 16;
  std::uint64_t begin = 0;
  std::array<std::uint8_t, header> bytes;
  for (std::size_t tags = 0; tags <= most_tags; ++tags) {
    PANTANAL_TRY_STATUS(file.seek(begin));
    PANTANAL_TRY(const std::size_t got, file.read(bytes));
    if (got < header || std::string_view(reinterpret_cast<const char*>(bytes.data()), 3) != "ID3") break;
    std::uint64_t size = 0;
    for (std::size_t i = 6; i < header; ++i) size = size << 7 | (bytes[i] & 0x7f);
    begin += header + size + (bytes[5] & 0x10 ? header : 0);
    if (begin > file.size())
      return Error{ErrorCode::corrupt, file.name(),
                   "an ID3 tag of " + std::to_string(size) + " bytes, which passes the end of the file",
                   "MP3 frames after it"};
  }
  std::uint8_t byte = 0;
  for (std::size_t padding = 0; padding < most_padding; ++padding, ++begin) {
    PANTANAL_TRY_STATUS(file.seek(begin));
    PANTANAL_TRY(const std::size_t got, file.read(std::span(&byte, 1)));
    if (got == 0 || byte != 0) break;
  }
  return file.seek(begin);
}

class Mp3Source final : public Source {
 public:
  explicit Mp3Source(ByteReader file) : file_(std::move(file)) {}

  Status start() {
    PANTANAL_TRY_STATUS(skip_tags(file_));
    PANTANAL_TRY(const std::size_t bytes, next_frame());
    if (bytes == 0) return corrupt("an MP3 file without a frame", "sound");
    const auto info = parse_mp3_info(std::span(frame_).first(bytes), first_);
    if (info) info_ = *info;
    frames_ = info ? 0 : 1;
    format_ = {.name = file_.name(),
               .encoding = "MP3",
               .sample_rate = first_.sample_rate,
               .channels = first_.channels,
               .frames = {}};
    if (info_.frames) {
      const std::uint64_t added =
          std::uint64_t{info_.added_before.value_or(0)} + info_.added_after.value_or(0);
      const std::uint64_t samples = *info_.frames * first_.samples;
      format_.frames = samples - std::min(samples, added);
    }
    PANTANAL_TRY_STATUS(check_format(format_));
    return start_decoder(bytes);
  }

  const Format& format() const override { return format_; }

 private:
  struct Delete {
    void operator()(mpg123_handle* decoder) const { mpg123_delete(decoder); }
  };

  Status start_decoder(std::size_t bytes) {
    constexpr long flags =
        MPG123_QUIET | MPG123_FORCE_FLOAT | MPG123_GAPLESS | MPG123_SKIP_ID3V2 | MPG123_NO_READAHEAD;
    decoder_.reset(mpg123_new(nullptr, nullptr));
    mpg123_handle* const decoder = decoder_.get();
    if (!decoder || mpg123_param2(decoder, MPG123_ADD_FLAGS, flags, 0) != MPG123_OK ||
        mpg123_format_none(decoder) != MPG123_OK ||
        mpg123_format(decoder, static_cast<long>(first_.sample_rate), static_cast<int>(first_.channels),
                      MPG123_ENC_FLOAT_32) != MPG123_OK ||
        mpg123_open_feed(decoder) != MPG123_OK)
      return Error{ErrorCode::internal, file_.name(), "no MP3 decoder", "libmpg123 with samples of float"};
    if (mpg123_feed(decoder, frame_.data(), bytes) != MPG123_OK) return undecodable();
    return {};
  }

  Result<std::size_t> read_some(std::span<float> interleaved) override {
    const std::size_t frame = first_.channels * sizeof(float);
    for (;;) {
      std::size_t done = 0;
      const int code =
          mpg123_read(decoder_.get(), interleaved.data(), interleaved.size_bytes() / frame * frame, &done);
      if (done >= frame) return done / frame;
      if (code == MPG123_NEW_FORMAT || code == MPG123_OK) continue;
      if (code != MPG123_NEED_MORE) return undecodable();
      if (has_ended_) return at_end();
      PANTANAL_TRY(const std::size_t bytes, next_frame());
      has_ended_ = bytes == 0;
      if (has_ended_) continue;
      ++frames_;
      if (mpg123_feed(decoder_.get(), frame_.data(), bytes) != MPG123_OK) return undecodable();
    }
  }

  /// The next frame's bytes, into frame_; 0 at the end of the sound.
  Result<std::size_t> next_frame() {
    const std::uint64_t begin = file_.position();
    const auto head = std::span(frame_).first(mp3_header_bytes);
    PANTANAL_TRY(const std::size_t got, file_.read(head));
    if (got == 0 || is_trailer(head.first(got))) return std::size_t{0};
    auto frame = parse_mp3_frame(head.first(got));
    const std::string at = " at byte " + std::to_string(begin);
    if (!frame) {
      Error error = std::move(frame).error();
      error.where = file_.name();
      error.found += at;
      return error;
    }
    if (first_.bytes == 0) first_ = *frame;
    if (frame->sample_rate != first_.sample_rate || frame->channels != first_.channels)
      return corrupt(
          "an MP3 frame of " + std::to_string(frame->sample_rate) + " Hz and " +
              std::to_string(frame->channels) + " channels" + at,
          std::to_string(first_.sample_rate) + " Hz and " + std::to_string(first_.channels) + ", as before");
    PANTANAL_TRY(const std::size_t rest,
                 file_.read(std::span(frame_).subspan(mp3_header_bytes, frame->bytes - mp3_header_bytes)));
    if (mp3_header_bytes + rest < frame->bytes)
      return corrupt("a file cut short: the MP3 frame" + at + " is not whole",
                     std::to_string(frame->bytes) + " bytes");
    return frame->bytes;
  }

  Result<std::size_t> at_end() const {
    if (info_.frames && frames_ < *info_.frames)
      return corrupt("a file cut short: its header states " + std::to_string(*info_.frames) +
                         " MP3 frames and it has " + std::to_string(frames_),
                     "as many as stated");
    return std::size_t{0};
  }

  Error undecodable() const {
    return corrupt("MP3 that does not decode up to byte " + std::to_string(file_.position()) + " (" +
                       std::string(mpg123_strerror(decoder_.get())) + ")",
                   "sound frames");
  }

  Error corrupt(std::string found, std::string expected) const {
    return {ErrorCode::corrupt, file_.name(), std::move(found), std::move(expected)};
  }

  ByteReader file_;
  Format format_;
  Mp3Frame first_;
  Mp3Info info_;
  std::uint64_t frames_ = 0;  // of sound, read so far
  bool has_ended_ = false;
  std::array<std::uint8_t, most_mp3_frame_bytes> frame_;
  std::unique_ptr<mpg123_handle, Delete> decoder_;
};

}  // namespace

bool reads_mp3() { return true; }

Result<std::unique_ptr<Source>> open_mp3(ByteReader file) {
  auto source = std::make_unique<Mp3Source>(std::move(file));
  PANTANAL_TRY_STATUS(source->start());
  return std::unique_ptr<Source>(std::move(source));
}

}  // namespace pantanal::audio

#else

namespace pantanal::audio {

bool reads_mp3() { return false; }

Result<std::unique_ptr<Source>> open_mp3(ByteReader file) {
  return Error{ErrorCode::unsupported, file.name(), "a file of type MP3",
               "WAV or Ogg Vorbis: this build has no MP3 (PANTANAL_WITH_MP3=ON)"};
}

}  // namespace pantanal::audio

#endif
