// PerchStream: sound as it comes in, at any rate and in blocks of any size, to Perch's outputs window by
// window.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/audio/mono.hpp"
#include "pantanal/audio/normalize.hpp"
#include "pantanal/audio/source.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/perch/session.hpp"
#include "pantanal/stream/rate_converter.hpp"
#include "pantanal/stream/window_slicer.hpp"

namespace pantanal::stream {

struct StreamOptions {
  std::uint32_t rate = 32000;  ///< Hz of what is pushed
  std::uint32_t channels = 1;  ///< interleaved; mixed to one
  std::size_t hop =
      0;  ///< samples at the model's rate from one window to the next; 0: as many as a window has
  audio::Normalize normalize = audio::Normalize::none;
};

/// A window and its results, which last until the stream is used again.
struct StreamWindow {
  std::uint64_t index = 0;
  double start_s = 0, end_s = 0;  ///< from the stream's beginning
  std::size_t samples = 0;        ///< at the model's rate
  std::size_t recorded =
      0;  ///< of them, those that were pushed; the others are zeros for a gap, or after the end
  std::span<const float> embedding,
      label;  ///< [E], [classes]; empty where nothing was recorded, or float32 does not hold them
};

/// push() until it takes no more, next() until it gives no more, and so on: no queue grows, since whoever
/// pushes computes, and nothing is allocated after create() (but by a RateConverter's library). Windows are
/// those of a file of the same samples, bit for bit. One thread at a time.
class PerchStream {
 public:
  /// `session` runs the windows, one at a time. `converter` is for another rate than the model's and not
  /// looked at otherwise. Errors: channels or hop out of bounds, another rate and no converter.
  static Result<PerchStream> create(perch::Session session, const StreamOptions& options = {},
                                    std::unique_ptr<RateConverter> converter = {}) {
    const perch::Frontend& frontend = session.model().architecture.frontend;
    StreamOptions resolved = options;
    if (resolved.hop == 0) resolved.hop = frontend.samples;
    if (resolved.hop > frontend.samples)
      return Error{ErrorCode::invalid_argument, "PerchStream.hop", std::to_string(options.hop) + " samples",
                   "at most a window's " + std::to_string(frontend.samples)};
    if (Status status = audio::check_format({"PerchStream", "", options.rate, options.channels, {}}); !status)
      return Error{ErrorCode::invalid_argument, "PerchStream", status.error().found, status.error().expected};
    if (options.rate == frontend.sample_rate)
      converter.reset();
    else if (!converter)
      return Error{ErrorCode::unsupported, "PerchStream.rate", std::to_string(options.rate) + " Hz",
                   "the model's " + std::to_string(frontend.sample_rate) + " Hz, or a converter"};
    return PerchStream(std::move(session), resolved, std::move(converter));
  }

  const perch::Session& session() const { return session_; }
  const StreamOptions& options() const { return options_; }

  /// Frames pushed so far, with those that gaps stand for.
  std::uint64_t frames() const { return frames_; }

  /// Takes frames from the front of `interleaved`, [n, channels], and returns how many: fewer than n if a
  /// window is ready, for which next() must be called first. Errors: a size that is no multiple of the
  /// channels, a sample that is not finite or larger than audio::largest_sample, after finish(). Then nothing
  /// is taken and the stream can go on.
  Result<std::size_t> push(std::span<const float> interleaved) {
    const std::size_t channels = options_.channels;
    if (finished_)
      return Error{ErrorCode::invalid_argument, "PerchStream.push", "samples after the end", "none"};
    if (interleaved.size() % channels != 0)
      return Error{ErrorCode::invalid_argument, "PerchStream.push",
                   std::to_string(interleaved.size()) + " samples",
                   "a multiple of " + std::to_string(channels) + " channels"};
    PANTANAL_TRY_STATUS(check_samples(interleaved));
    PANTANAL_TRY_STATUS(fill_gap());
    const std::size_t frames = interleaved.size() / channels;
    std::size_t taken = 0;
    while (taken < frames && gap_left_ == 0 && slicer_.room() > 0) {
      const std::size_t block = std::min(frames - taken, mono_.size());
      audio::mix_to_mono(interleaved.subspan(taken * channels, block * channels), channels,
                         std::span(mono_).first(block));
      PANTANAL_TRY(const std::size_t used, feed(std::span(mono_).first(block)));
      taken += used;
    }
    frames_ += taken;
    return taken;
  }

  /// Says that `frames` frames were lost before the next one pushed, so that what follows keeps its time.
  /// Zeros stand in for them; windows say how much of them was recorded.
  Status mark_gap(std::uint64_t frames) {
    constexpr std::uint64_t most = std::uint64_t{1} << 48;
    if (finished_)
      return Error{ErrorCode::invalid_argument, "PerchStream.mark_gap", "a gap after the end", "none"};
    if (frames > most - std::min(gap_left_, most))
      return Error{ErrorCode::invalid_argument, "PerchStream.mark_gap", std::to_string(frames) + " frames",
                   "at most 2^48"};
    slicer_.mark_gap(at_model_rate(frames_), at_model_rate(frames_ + frames));
    frames_ += frames;
    gap_left_ += frames;
    return fill_gap();
  }

  /// Nothing will follow. What remains comes out of next().
  void finish() { finished_ = true; }

  /// The next window that is complete, computed; nothing if more must be pushed first (or, after finish(), at
  /// the end). Errors: internal ones of the converter.
  Result<std::optional<StreamWindow>> next() {
    if (taken_) slicer_.advance();
    taken_ = false;
    PANTANAL_TRY_STATUS(fill_gap());
    PANTANAL_TRY_STATUS(fill_end());
    if (!slicer_.ready()) return std::optional<StreamWindow>();
    const SlicedWindow window = slicer_.window();
    taken_ = true;
    const double rate = static_cast<double>(session_.model().architecture.frontend.sample_rate);
    StreamWindow result{.index = window.index,
                        .start_s = static_cast<double>(window.begin) / rate,
                        .end_s = static_cast<double>(window.begin + window.samples.size()) / rate,
                        .samples = window.samples.size(),
                        .recorded = window.recorded,
                        .embedding = {},
                        .label = {}};
    if (window.recorded == 0) return std::optional(result);
    std::ranges::copy(window.samples, window_.begin());
    audio::normalize(window_, options_.normalize);
    std::uint8_t finite = 0;
    PANTANAL_TRY_STATUS(session_.run(
        window_, 1, {.embedding = embedding_, .label = label_, .finite = std::span(&finite, 1)}));
    if (finite) {
      result.embedding = embedding_;
      result.label = label_;
    }
    return std::optional(result);
  }

 private:
  static constexpr std::size_t block_frames = 4096;

  PerchStream(perch::Session session, const StreamOptions& options, std::unique_ptr<RateConverter> converter)
      : session_(std::move(session)),
        options_(options),
        converter_(std::move(converter)),
        slicer_(session_.model().architecture.frontend.samples, options.hop),
        mono_(block_frames),
        converted_(block_frames),
        window_(session_.model().architecture.frontend.samples),
        embedding_(session_.output_sizes().embedding),
        label_(session_.output_sizes().label) {}

  static Status check_samples(std::span<const float> samples) {
    bool sane = true;
    for (const float x : samples) sane &= audio::is_sample(x);
    if (sane) return {};
    std::size_t i = 0;
    while (audio::is_sample(samples[i])) ++i;
    return Error{ErrorCode::invalid_argument, "PerchStream.push: sample " + std::to_string(i),
                 std::to_string(samples[i]), "a finite sample of a recording"};
  }

  std::uint64_t at_model_rate(std::uint64_t frames) const {
    return audio::resampled_length(
        frames, options_.rate,
        static_cast<std::uint32_t>(session_.model().architecture.frontend.sample_rate));
  }

  /// Takes from the front of `mono` what has room, and returns how many frames.
  Result<std::size_t> feed(std::span<const float> mono) {
    if (!converter_) {
      const std::size_t used = std::min(mono.size(), slicer_.room());
      slicer_.push(mono.first(used));
      return used;
    }
    std::size_t used = 0;
    while (used < mono.size() && slicer_.room() > 0) {
      const std::span<float> out = std::span(converted_).first(std::min(converted_.size(), slicer_.room()));
      PANTANAL_TRY(const RateConverter::Progress progress, converter_->convert(mono.subspan(used), out));
      if (progress.used == 0 && progress.made == 0)
        return Error{ErrorCode::internal, "PerchStream", "a converter that stands still", "one that goes on"};
      slicer_.push(out.first(progress.made));
      used += progress.used;
    }
    return used;
  }

  /// Zeros for what is missing, as far as there is room.
  Status fill_gap() {
    if (gap_left_ == 0) return {};
    std::ranges::fill(mono_, 0.0f);
    while (gap_left_ > 0 && slicer_.room() > 0) {
      const auto block = static_cast<std::size_t>(std::min<std::uint64_t>(gap_left_, mono_.size()));
      PANTANAL_TRY(const std::size_t used, feed(std::span(mono_).first(block)));
      gap_left_ -= used;
    }
    return {};
  }

  /// After the last frame: what the converter holds back, up to the stream's length.
  Status fill_end() {
    if (!finished_ || gap_left_ > 0) return {};
    const std::uint64_t length = at_model_rate(frames_);
    while (converter_ && slicer_.position() < length && slicer_.room() > 0) {
      const std::size_t wanted = static_cast<std::size_t>(
          std::min<std::uint64_t>({length - slicer_.position(), slicer_.room(), converted_.size()}));
      PANTANAL_TRY(const std::size_t made, converter_->drain(std::span(converted_).first(wanted)));
      if (made == 0)
        return Error{ErrorCode::internal, "PerchStream", "too few samples from the converter", "all of them"};
      slicer_.push(std::span(converted_).first(made));
    }
    if (slicer_.position() >= length) slicer_.end();
    return {};
  }

  perch::Session session_;
  StreamOptions options_;
  std::unique_ptr<RateConverter> converter_;
  WindowSlicer slicer_;
  std::vector<float> mono_, converted_, window_, embedding_, label_;
  std::uint64_t frames_ = 0;    ///< pushed, or lost
  std::uint64_t gap_left_ = 0;  ///< of the frames lost, those without their zeros yet
  bool finished_ = false, taken_ = false;
};

}  // namespace pantanal::stream
