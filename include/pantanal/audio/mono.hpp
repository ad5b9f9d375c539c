// Mixing to one channel.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "pantanal/audio/source.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::audio {

/// mono[t] = mean over channels of interleaved[t * channels + c]. interleaved.size() = mono.size() *
/// channels.
inline void mix_to_mono(std::span<const float> interleaved, std::size_t channels, std::span<float> mono) {
  const double share = 1.0 / static_cast<double>(channels);
  for (std::size_t t = 0; t < mono.size(); ++t) {
    double sum = 0;
    for (const float x : interleaved.subspan(t * channels, channels)) sum += static_cast<double>(x);
    mono[t] = static_cast<float>(sum * share);
  }
}

/// A source's channels mixed to one.
class MonoSource final : public Source {
 public:
  explicit MonoSource(std::unique_ptr<Source> source)
      : source_(std::move(source)), format_(source_->format()), frames_(block_frames * format_.channels) {
    format_.channels = 1;
  }

  const Format& format() const override { return format_; }

 private:
  static constexpr std::size_t block_frames = 4096;

  Result<std::size_t> read_some(std::span<float> mono) override {
    const std::size_t channels = source_->format().channels, wanted = std::min(mono.size(), block_frames);
    PANTANAL_TRY(const std::size_t frames, source_->read(std::span(frames_).first(wanted * channels)));
    mix_to_mono(std::span(frames_).first(frames * channels), channels, mono.first(frames));
    return frames;
  }

  std::unique_ptr<Source> source_;
  Format format_;
  std::vector<float> frames_;  // interleaved
};

/// `source` mixed to one channel; itself if it has only one.
inline std::unique_ptr<Source> to_mono(std::unique_ptr<Source> source) {
  if (source->format().channels == 1) return source;
  return std::make_unique<MonoSource>(std::move(source));
}

}  // namespace pantanal::audio
