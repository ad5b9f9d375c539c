// Source: a recording as a stream of samples, whatever its file format, channel count or rate.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "pantanal/core/result.hpp"

namespace pantanal::audio {

/// What a source delivers.
struct Format {
  std::string name;               ///< the file, for messages
  std::string encoding;           ///< e.g. "WAV, 16-bit PCM", "Ogg Vorbis"
  std::uint32_t sample_rate = 0;  ///< Hz
  std::uint32_t channels = 0;
  std::optional<std::uint64_t>
      frames;  ///< as the file states it; what is really there may be less, see Source::read
};

inline constexpr std::uint32_t lowest_rate = 100, highest_rate = 10'000'000;  ///< Hz
inline constexpr std::uint32_t most_channels = 256;

/// No recording's scale reaches this (integers stored as floats stay below 2^32), and sums of squares of such
/// samples are still finite floats.
inline constexpr float largest_sample = 1e15f;

/// Whether `x` can be a recording's sample, which NaN and infinity cannot.
inline bool is_sample(float x) { return std::fabs(x) <= largest_sample; }

/// round(frames * to / from), halves up: the length of a recording at another rate.
inline std::uint64_t resampled_length(std::uint64_t frames, std::uint32_t from, std::uint32_t to) {
  const std::uint64_t whole = frames / from, rest = frames % from;
  return whole * to + (2 * rest * to + from) / (2 * std::uint64_t{from});
}

/// Refuses rates and channel counts that only a damaged header can state.
inline Status check_format(const Format& format) {
  if (format.channels == 0 || format.channels > most_channels)
    return Error{ErrorCode::corrupt, format.name, std::to_string(format.channels) + " channels",
                 "1 to " + std::to_string(most_channels)};
  if (format.sample_rate < lowest_rate || format.sample_rate > highest_rate)
    return Error{ErrorCode::corrupt, format.name,
                 "a sample rate of " + std::to_string(format.sample_rate) + " Hz",
                 std::to_string(lowest_rate) + " to " + std::to_string(highest_rate) + " Hz"};
  return {};
}

/// A stream of frames, each one sample per channel. Recordings are never held whole: a source's memory does
/// not grow with their length.
class Source {
 public:
  virtual ~Source() = default;
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  virtual const Format& format() const = 0;

  /// Fills `interleaved` with whole frames and returns how many: fewer than fit only where the recording ends
  /// or breaks, 0 only at its end. A recording that is damaged or cut short delivers everything before the
  /// damage first; then, and on every later call, read is the error. `interleaved` must have room for a
  /// frame. Every sample is finite and at most `largest_sample` in magnitude: anything else is damage.
  Result<std::size_t> read(std::span<float> interleaved) {
    const std::size_t channels = format().channels, wanted = interleaved.size() / channels;
    if (wanted == 0)
      return Error{ErrorCode::invalid_argument, format().name, "room for less than a frame", "one or more"};
    std::size_t done = 0;
    while (done < wanted && !broken_) {
      const std::span<float> rest = interleaved.subspan(done * channels, (wanted - done) * channels);
      auto got = read_some(rest);
      if (!got) {
        broken_ = std::move(got).error();
        break;
      }
      const std::size_t frames = keep_sane(rest.first(*got * channels));
      done += frames;
      frames_read_ += frames;
      if (*got == 0) break;
    }
    if (done == 0 && broken_) return *broken_;
    return done;
  }

  /// Frames delivered so far.
  std::uint64_t frames_read() const { return frames_read_; }

 protected:
  /// One or more of the next frames, into the front of `interleaved`; 0 at the end. Not called after an
  /// error.
  virtual Result<std::size_t> read_some(std::span<float> interleaved) = 0;

 private:
  /// The number of frames before the first sample that is none; breaks the source if there is one.
  std::size_t keep_sane(std::span<const float> interleaved) {
    bool sane = true;
    for (const float x : interleaved) sane &= is_sample(x);
    if (sane) return interleaved.size() / format().channels;
    std::size_t i = 0;
    while (is_sample(interleaved[i])) ++i;
    const std::size_t frame = i / format().channels, channel = i % format().channels;
    char value[32];
    std::snprintf(value, sizeof value, "%g", static_cast<double>(interleaved[i]));
    broken_ = Error{ErrorCode::corrupt, format().name,
                    "the sample " + std::string(value) + " at frame " + std::to_string(frames_read_ + frame) +
                        ", channel " + std::to_string(channel),
                    "finite samples of a recording"};
    return frame;
  }

  std::optional<Error> broken_;
  std::uint64_t frames_read_ = 0;
};

}  // namespace pantanal::audio
