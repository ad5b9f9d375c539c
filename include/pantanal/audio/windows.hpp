// WindowStream: a recording as the equal windows that a model takes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "pantanal/audio/load_audio.hpp"
#include "pantanal/audio/mono.hpp"
#include "pantanal/audio/open.hpp"
#include "pantanal/audio/resample.hpp"
#include "pantanal/audio/soundfile.hpp"
#include "pantanal/audio/source.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::audio {

struct WindowOptions {
  std::uint32_t rate = 32000;     ///< Hz
  std::size_t samples = 160000;   ///< in a window
  bool soundfile_compat = false;  ///< what open_as_soundfile gives, not open_audio
};

/// Where a window lies in its recording.
struct Window {
  std::uint64_t index = 0;
  double start_s = 0;        ///< of its first sample, in seconds
  std::size_t recorded = 0;  ///< samples that are the recording's; in the last window zeros may follow
};

/// Consecutive windows of a recording, mono, without overlap. Memory does not grow with the recording.
class WindowStream {
 public:
  /// Errors: those of open_audio (or open_as_soundfile) and resample; invalid_argument for windows of no
  /// samples.
  static Result<WindowStream> open(const std::filesystem::path& path, const WindowOptions& options = {}) {
    if (options.samples == 0) return Error{ErrorCode::invalid_argument, "window", "0 samples", "one or more"};
    PANTANAL_TRY(std::unique_ptr<Source> source,
                 options.soundfile_compat ? open_as_soundfile(path) : open_audio(path));
    const Format file_format = source->format();
    PANTANAL_TRY(std::unique_ptr<Source> mono, resample(to_mono(std::move(source)), options.rate));
    return WindowStream(std::move(mono), file_format, options);
  }

  /// Writes the next window to `samples`, options.samples of them; nothing after the last one. A recording
  /// that breaks yields the whole windows before the damage, then the error. One without a single sample
  /// at the windows' rate is corrupt.
  Result<std::optional<Window>> next(std::span<float> samples) {
    if (samples.size() != options_.samples)
      return Error{ErrorCode::invalid_argument, "window", std::to_string(samples.size()) + " samples",
                   std::to_string(options_.samples)};
    Window window{.index = windows_, .start_s = seconds(source_->frames_read()), .recorded = 0};
    while (window.recorded < samples.size()) {
      PANTANAL_TRY(const std::size_t frames, source_->read(samples.subspan(window.recorded)));
      window.recorded += frames;
      if (frames == 0) break;
    }
    if (source_->frames_read() == 0) return no_samples(file_format_, options_.rate);
    if (window.recorded == 0) return std::optional<Window>();
    std::fill(samples.begin() + static_cast<std::ptrdiff_t>(window.recorded), samples.end(), 0.0f);
    ++windows_;
    return std::optional<Window>(window);
  }

  /// The file as it is: with its own rate and channels.
  const Format& file_format() const { return file_format_; }

  /// How many windows there will be, if the file states its length.
  std::optional<std::uint64_t> windows() const {
    const auto frames = source_->format().frames;
    if (!frames) return std::nullopt;
    return *frames / options_.samples + (*frames % options_.samples != 0);
  }

  /// Length of what was decoded so far, in seconds: after the last window, the recording's.
  double duration_s() const { return seconds(source_->frames_read()); }

 private:
  WindowStream(std::unique_ptr<Source> source, Format file_format, const WindowOptions& options)
      : source_(std::move(source)), file_format_(std::move(file_format)), options_(options) {}

  double seconds(std::uint64_t samples) const { return static_cast<double>(samples) / options_.rate; }

  std::unique_ptr<Source> source_;
  Format file_format_;
  WindowOptions options_;
  std::uint64_t windows_ = 0;
};

}  // namespace pantanal::audio
