// SoundscapeDecoder: how a run gets the samples of its soundscapes.
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "console.hpp"
#include "decoder_process.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::competition {

/// What DecoderProcess does to a soundscape: read_soundscape_windows.
Status decode_soundscape(const std::filesystem::path& path, const infer::DecodeOptions& options,
                         const infer::TakeWindow& take);

/// For one thread at a time.
class SoundscapeDecoder {
 public:
  struct Options {
    bool in_process = false;        ///< within the program
    bool soundfile_compat = false;  ///< see read_soundscape_windows
  };

  /// Decodes within the program.
  SoundscapeDecoder() = default;

  /// Decodes in a process of its own; within the program if `options` says so, or the system has none left.
  /// Forks: before the program has threads.
  SoundscapeDecoder(const Options& options, infer::Console& console);

  /// Decodes in `process`.
  explicit SoundscapeDecoder(infer::DecoderProcess process) : process_(std::move(process)) {}

  /// Samples as read_soundscape_60s gives them. Within the program, if the process was lost to something else
  /// than a soundscape; not once `stop` has been asked for.
  Result<std::vector<float>> decode(const std::filesystem::path& path, const std::stop_token& stop);

  /// Ends the process: it may be in a recording that has no end.
  void stop();

  bool is_soundfile_compat() const { return soundfile_compat_; }
  bool has_process() const { return process_ && process_->is_alive(); }

 private:
  Result<std::vector<float>> decode_here(const std::filesystem::path& path) const;
  Result<std::vector<float>> decode_there(const std::filesystem::path& path);

  std::optional<infer::DecoderProcess> process_;
  bool soundfile_compat_ = false;
};

}  // namespace pantanal::competition
