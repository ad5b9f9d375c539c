// SoundscapeFeed: soundscapes decoded ahead of whoever computes on them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "bounded_queue.hpp"
#include "console.hpp"
#include "decoder_process.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::competition {

/// A soundscape's samples (see read_soundscape_60s), or why there are none.
struct DecodedSoundscape {
  std::size_t index = 0;  ///< in the list of paths
  Result<std::vector<float>> samples;
  double seconds = 0;  ///< that decoding took, beside whoever computes
};

/// What DecoderProcess does to a soundscape: read_soundscape_windows.
Status decode_soundscape(const std::filesystem::path& path, const infer::DecodeOptions& options,
                         const infer::TakeWindow& take);

/// A process to decode soundscapes in; none if `in_process` says so, or the system has none left. Forks:
/// before the program has threads.
std::vector<infer::DecoderProcess> start_soundscape_decoder(bool in_process, infer::Console& console);

/// A thread decodes in order, a few soundscapes ahead: 8 MB each.
class SoundscapeFeed {
 public:
  static constexpr std::size_t ahead = 4;

  /// Decodes in `decoder`, which must outlive the feed and can be used by no other if this one is left before
  /// its end. In the program, if there is none or it is lost.
  explicit SoundscapeFeed(std::vector<std::filesystem::path> paths, infer::DecoderProcess* decoder = nullptr);
  SoundscapeFeed(const SoundscapeFeed&) = delete;
  SoundscapeFeed& operator=(const SoundscapeFeed&) = delete;
  ~SoundscapeFeed();

  /// The next one; nothing after the last, or once `stop` says so.
  std::optional<DecodedSoundscape> next(const std::function<bool()>& stop = {});

 private:
  void decode_all(const std::stop_token& stop);
  Result<std::vector<float>> decode(const std::filesystem::path& path, const std::stop_token& stop) const;

  std::vector<std::filesystem::path> paths_;
  infer::DecoderProcess* decoder_;
  infer::BoundedQueue<DecodedSoundscape> queue_{ahead};
  std::size_t taken_ = 0;
  std::jthread thread_;
};

}  // namespace pantanal::competition
