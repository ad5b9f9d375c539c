// Resampling, by libsoxr in its high quality (20 bits; flat to 91 % of the lower Nyquist frequency).
#pragma once

#include <soxr.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/audio/source.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::audio {

/// A source at another rate. Linear phase: frame t of one and t * to / from of the other are the same moment.
/// The frames are the same however they are asked for.
class ResampledSource final : public Source {
 public:
  /// Error: internal, where soxr cannot do the conversion.
  static Result<std::unique_ptr<Source>> open(std::unique_ptr<Source> source, std::uint32_t rate) {
    const Format& format = source->format();
    const soxr_io_spec_t samples = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
    const soxr_runtime_spec_t one_thread = soxr_runtime_spec(1);
    soxr_error_t error = nullptr;
    Resampler resampler(
        soxr_create(format.sample_rate, rate, format.channels, &error, &samples, &quality, &one_thread));
    if (!resampler || error)
      return Error{ErrorCode::internal, format.name,
                   "no resampler from " + std::to_string(format.sample_rate) + " to " + std::to_string(rate) +
                       " Hz (" + (error ? error : "out of memory") + ")",
                   ""};
    return std::unique_ptr<Source>(new ResampledSource(std::move(source), rate, std::move(resampler)));
  }

  const Format& format() const override { return format_; }

 private:
  struct Delete {
    void operator()(soxr_t resampler) const { soxr_delete(resampler); }
  };
  using Resampler = std::unique_ptr<soxr, Delete>;
  static constexpr std::size_t block_frames = 4096;

  ResampledSource(std::unique_ptr<Source> source, std::uint32_t rate, Resampler resampler)
      : source_(std::move(source)), format_(source_->format()), resampler_(std::move(resampler)) {
    if (format_.frames) format_.frames = resampled_length(*format_.frames, format_.sample_rate, rate);
    format_.sample_rate = rate;
    block_.resize(block_frames * format_.channels);
  }

  Result<std::size_t> read_some(std::span<float> interleaved) override;
  void fill();

  std::unique_ptr<Source> source_;
  Format format_;
  Resampler resampler_;
  std::vector<float> block_;  // input; frames begin_ to end_ are not yet resampled
  std::size_t begin_ = 0, end_ = 0;
  bool at_end_ = false;          // of the source
  std::optional<Error> broken_;  // how it ended, if not well
};

/// `source` at `rate` Hz; itself, bit for bit, if that is its rate. Errors: invalid_argument for a rate out
/// of bounds.
inline Result<std::unique_ptr<Source>> resample(std::unique_ptr<Source> source, std::uint32_t rate) {
  if (rate < lowest_rate || rate > highest_rate)
    return Error{ErrorCode::invalid_argument, "sample rate", std::to_string(rate) + " Hz",
                 std::to_string(lowest_rate) + " to " + std::to_string(highest_rate) + " Hz"};
  if (source->format().sample_rate == rate) return source;
  return ResampledSource::open(std::move(source), rate);
}

inline Result<std::size_t> ResampledSource::read_some(std::span<float> interleaved) {
  const std::size_t channels = format_.channels;
  for (;;) {
    if (begin_ == end_ && !at_end_) fill();
    std::size_t room = interleaved.size() / channels, used = 0, done = 0;
    if (at_end_) {
      const std::uint64_t length =
          resampled_length(source_->frames_read(), source_->format().sample_rate, format_.sample_rate);
      room =
          static_cast<std::size_t>(std::min<std::uint64_t>(room, length - std::min(length, frames_read())));
      if (room == 0 && broken_) return *broken_;
      if (room == 0) return std::size_t{0};
    }
    const float* input =
        at_end_ ? nullptr : &block_[begin_ * channels];  // null has soxr give out what it holds
    const soxr_error_t error =
        soxr_process(resampler_.get(), input, end_ - begin_, &used, interleaved.data(), room, &done);
    if (error) return Error{ErrorCode::internal, format_.name, std::string("soxr: ") + error, ""};
    begin_ += used;
    if (done > 0) return done;
    if (at_end_) return Error{ErrorCode::internal, format_.name, "too few frames from soxr", "all of them"};
  }
}

/// Reads the next block of the source. One that breaks is resampled up to there first.
inline void ResampledSource::fill() {
  begin_ = end_ = 0;
  auto frames = source_->read(block_);
  if (frames)
    end_ = *frames;
  else
    broken_ = std::move(frames).error();
  at_end_ = end_ == 0;
}

}  // namespace pantanal::audio
