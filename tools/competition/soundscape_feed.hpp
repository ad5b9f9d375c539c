// SoundscapeFeed: soundscapes decoded ahead of whoever computes on them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <thread>
#include <vector>

#include "bounded_queue.hpp"
#include "pantanal/core/result.hpp"

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
  explicit SoundscapeFeed(std::vector<std::filesystem::path> paths);
  SoundscapeFeed(const SoundscapeFeed&) = delete;
  SoundscapeFeed& operator=(const SoundscapeFeed&) = delete;
  ~SoundscapeFeed() { queue_.close(); }

  /// The next one; nothing after the last.
  std::optional<DecodedSoundscape> next() { return queue_.pop(); }

 private:
  static constexpr std::size_t ahead = 4;

  std::vector<std::filesystem::path> paths_;
  infer::BoundedQueue<DecodedSoundscape> queue_{ahead};
  std::jthread decoder_;
};

}  // namespace pantanal::competition
