#include "pantanal/audio/flac.hpp"

#if defined(PANTANAL_HAVE_FLAC)
#include <FLAC/stream_decoder.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pantanal::audio {
namespace {

Error corrupt(const std::string& name, std::string found, std::string expected) {
  return {ErrorCode::corrupt, name, std::move(found), std::move(expected)};
}

struct StreamInfo {
  std::uint32_t sample_rate = 0, channels = 0, bits = 0;
  std::uint64_t frames = 0;  ///< 0: not stated
};

/// Reads it and goes back to the beginning of the file.
Result<StreamInfo> read_stream_info(ByteReader& file) {
  constexpr std::uint8_t head[] = {'f', 'L', 'a', 'C', 0, 0, 0, 34};
  std::array<std::uint8_t, 42> bytes;
  PANTANAL_TRY(const std::size_t got, file.read(bytes));
  PANTANAL_TRY_STATUS(file.seek(0));
  if (got < bytes.size())
    return corrupt(file.name(), "a FLAC file cut short within its header", "STREAMINFO");
  if (!std::equal(std::begin(head) + 5, std::end(head), bytes.begin() + 5) || (bytes[4] & 0x7f) != 0)
    return corrupt(file.name(), "a FLAC file that begins with another block", "STREAMINFO of 34 bytes");
  const auto number = [&](std::size_t at, std::size_t count) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8 | bytes[at + i];
    return value;
  };
  const std::uint64_t least = number(8, 2), most = number(10, 2), packed = number(18, 8);
  if (least < 16 || least > most)
    return corrupt(file.name(),
                   "FLAC blocks of " + std::to_string(least) + " to " + std::to_string(most) + " samples",
                   "at least 16, and the larger number last");
  StreamInfo info{.sample_rate = static_cast<std::uint32_t>(packed >> 44),
                  .channels = static_cast<std::uint32_t>(packed >> 41 & 7) + 1,
                  .bits = static_cast<std::uint32_t>(packed >> 36 & 31) + 1,
                  .frames = packed & ((std::uint64_t{1} << 36) - 1)};
  if (info.bits < 4)
    return corrupt(file.name(), "FLAC samples of " + std::to_string(info.bits) + " bits", "4 to 32");
  return info;
}

class FlacSource final : public Source {
 public:
  FlacSource(ByteReader file, const StreamInfo& info) : file_(std::move(file)), info_(info) {
    format_ = {.name = file_.name(),
               .encoding = "FLAC, " + std::to_string(info.bits) + "-bit",
               .sample_rate = info.sample_rate,
               .channels = info.channels,
               .frames = {}};
    if (info.frames > 0) format_.frames = info.frames;
  }

  Status start() {
    PANTANAL_TRY_STATUS(check_format(format_));
    decoder_.reset(FLAC__stream_decoder_new());
    if (!decoder_ ||
        FLAC__stream_decoder_init_stream(decoder_.get(), on_read, nullptr, on_tell, nullptr, on_eof, on_frame,
                                         nullptr, on_error, this) != FLAC__STREAM_DECODER_INIT_STATUS_OK)
      return Error{ErrorCode::internal, format_.name, "no FLAC decoder", "memory for one"};
    if (!FLAC__stream_decoder_process_until_end_of_metadata(decoder_.get()) || problem_) return problem();
    return {};
  }

  const Format& format() const override { return format_; }

 private:
  struct Delete {
    void operator()(FLAC__StreamDecoder* decoder) const { FLAC__stream_decoder_delete(decoder); }
  };

  Result<std::size_t> read_some(std::span<float> interleaved) override {
    while (taken_ == decoded_.size()) {
      if (problem_) return problem();
      if (FLAC__stream_decoder_get_state(decoder_.get()) == FLAC__STREAM_DECODER_END_OF_STREAM)
        return at_end();
      decoded_.clear();
      taken_ = 0;
      if (!FLAC__stream_decoder_process_single(decoder_.get()) && !problem_) return problem();
      FLAC__uint64 position = 0;
      if (!decoded_.empty() && FLAC__stream_decoder_get_decode_position(decoder_.get(), &position))
        sound_end_ = position;
    }
    const std::size_t count =
        std::min(interleaved.size() / format_.channels * format_.channels, decoded_.size() - taken_);
    std::copy_n(decoded_.begin() + static_cast<std::ptrdiff_t>(taken_), count, interleaved.begin());
    taken_ += count;
    return count / format_.channels;
  }

  Result<std::size_t> at_end() const {
    if (heard_ < info_.frames)
      return corrupt(format_.name,
                     "a file cut short: it states " + std::to_string(info_.frames) + " frames and has " +
                         std::to_string(heard_),
                     "as many as stated");
    if (info_.frames == 0 && sound_end_ > 0 && sound_end_ < file_.size())
      return corrupt(format_.name, "a FLAC frame cut short at byte " + std::to_string(sound_end_),
                     "a whole one");
    return std::size_t{0};
  }

  Error problem() const {
    if (problem_) return *problem_;
    return corrupt(format_.name,
                   "FLAC that libFLAC gives up (" +
                       std::string(FLAC__stream_decoder_get_resolved_state_string(decoder_.get())) +
                       ") after frame " + std::to_string(heard_),
                   "FLAC frames");
  }

  void fail(std::string found, std::string expected) {
    if (!problem_) problem_ = corrupt(format_.name, std::move(found), std::move(expected));
  }

  /// Whether a block is of this file, and the next one.
  bool fits(const FLAC__FrameHeader& header) {
    const std::string at = "a FLAC block after frame " + std::to_string(heard_);
    if (header.channels != info_.channels || header.bits_per_sample != info_.bits ||
        header.sample_rate != info_.sample_rate) {
      fail(at + " of " + std::to_string(header.channels) + " channels, " +
               std::to_string(header.bits_per_sample) + " bits and " + std::to_string(header.sample_rate) +
               " Hz",
           std::to_string(info_.channels) + ", " + std::to_string(info_.bits) + " and " +
               std::to_string(info_.sample_rate) + ", as stated");
    } else if (header.number.sample_number != heard_) {
      fail(at + " that states " + std::to_string(header.number.sample_number) + " before it", "as many");
    } else if (info_.frames > 0 && header.blocksize > info_.frames - heard_) {
      fail("more than the " + std::to_string(info_.frames) + " frames that FLAC's header states", "as many");
    }
    return !problem_;
  }

  static FLAC__StreamDecoderReadStatus on_read(const FLAC__StreamDecoder*, FLAC__byte bytes[],
                                               std::size_t* size, void* self) {
    auto& source = *static_cast<FlacSource*>(self);
    auto got = source.file_.read(std::span(bytes, *size));
    *size = got ? *got : 0;
    if (!got) {
      source.problem_ = std::move(got).error();
      return FLAC__STREAM_DECODER_READ_STATUS_ABORT;
    }
    return *size > 0 ? FLAC__STREAM_DECODER_READ_STATUS_CONTINUE
                     : FLAC__STREAM_DECODER_READ_STATUS_END_OF_STREAM;
  }

  static FLAC__StreamDecoderTellStatus on_tell(const FLAC__StreamDecoder*, FLAC__uint64* position,
                                               void* self) {
    *position = static_cast<FlacSource*>(self)->file_.position();
    return FLAC__STREAM_DECODER_TELL_STATUS_OK;
  }

  static FLAC__bool on_eof(const FLAC__StreamDecoder*, void* self) {
    const ByteReader& file = static_cast<FlacSource*>(self)->file_;
    return file.position() >= file.size();
  }

  static FLAC__StreamDecoderWriteStatus on_frame(const FLAC__StreamDecoder*, const FLAC__Frame* frame,
                                                 const FLAC__int32* const channels[], void* self) {
    auto& source = *static_cast<FlacSource*>(self);
    if (source.problem_ || !source.fits(frame->header)) return FLAC__STREAM_DECODER_WRITE_STATUS_ABORT;
    const std::size_t count = source.info_.channels, frames = frame->header.blocksize;
    const unsigned shift = 32 - source.info_.bits;
    source.decoded_.resize(frames * count);
    for (std::size_t t = 0; t < frames; ++t)
      for (std::size_t c = 0; c < count; ++c)
        source.decoded_[t * count + c] = static_cast<float>(static_cast<std::int32_t>(
                                             static_cast<std::uint32_t>(channels[c][t]) << shift)) *
                                         0x1p-31f;
    source.heard_ += frames;
    return FLAC__STREAM_DECODER_WRITE_STATUS_CONTINUE;
  }

  static void on_error(const FLAC__StreamDecoder*, FLAC__StreamDecoderErrorStatus status, void* self) {
    auto& source = *static_cast<FlacSource*>(self);
    source.fail("damage after frame " + std::to_string(source.heard_) + " (" +
                    FLAC__StreamDecoderErrorStatusString[status] + ")",
                "FLAC frames one after the other");
  }

  ByteReader file_;
  StreamInfo info_;
  Format format_;
  std::unique_ptr<FLAC__StreamDecoder, Delete> decoder_;
  std::vector<float> decoded_;  // the last block, interleaved; taken_ values of it are passed on
  std::size_t taken_ = 0;
  std::uint64_t heard_ = 0;      // frames decoded
  std::uint64_t sound_end_ = 0;  // the byte behind the last block
  std::optional<Error> problem_;
};

}  // namespace

bool reads_flac() { return true; }

Result<std::unique_ptr<Source>> open_flac(ByteReader file) {
  PANTANAL_TRY(const StreamInfo info, read_stream_info(file));
  auto source = std::make_unique<FlacSource>(std::move(file), info);
  PANTANAL_TRY_STATUS(source->start());
  return std::unique_ptr<Source>(std::move(source));
}

}  // namespace pantanal::audio

#else

namespace pantanal::audio {

bool reads_flac() { return false; }

Result<std::unique_ptr<Source>> open_flac(ByteReader file) {
  return Error{ErrorCode::unsupported, file.name(), "a file of type FLAC",
               "WAV or Ogg Vorbis: this build has no FLAC (PANTANAL_WITH_FLAC=ON)"};
}

}  // namespace pantanal::audio

#endif
