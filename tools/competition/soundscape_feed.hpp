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
#include "pantanal/core/result.hpp"
#include "soundscape_decoder.hpp"

namespace pantanal::competition {

/// A soundscape's samples (see read_soundscape_60s), or why there are none.
struct DecodedSoundscape {
  std::size_t index = 0;  ///< in the list of paths
  Result<std::vector<float>> samples;
  double seconds = 0;  ///< that decoding took, beside whoever computes
};

/// A thread decodes in order, a few soundscapes ahead: 8 MB each.
class SoundscapeFeed {
 public:
  static constexpr std::size_t ahead = 4;

  /// `decoder` must outlive the feed, and loses its process if the feed is left before its end.
  SoundscapeFeed(std::vector<std::filesystem::path> paths, SoundscapeDecoder& decoder);
  SoundscapeFeed(const SoundscapeFeed&) = delete;
  SoundscapeFeed& operator=(const SoundscapeFeed&) = delete;
  ~SoundscapeFeed();

  /// The next one; nothing after the last, or once `stop` says so.
  std::optional<DecodedSoundscape> next(const std::function<bool()>& stop = {});

 private:
  void decode_all(const std::stop_token& stop);

  std::vector<std::filesystem::path> paths_;
  SoundscapeDecoder& decoder_;
  infer::BoundedQueue<DecodedSoundscape> queue_{ahead};
  std::size_t taken_ = 0;
  std::jthread thread_;
};

}  // namespace pantanal::competition
