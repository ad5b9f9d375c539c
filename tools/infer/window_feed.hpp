// WindowFeed: the windows of many recordings, decoded ahead of whoever computes on them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <thread>
#include <variant>
#include <vector>

#include "bounded_queue.hpp"
#include "decode.hpp"
#include "decoder_process.hpp"
#include "pantanal/core/result.hpp"
#include "recordings.hpp"

namespace pantanal::infer {

/// A window to be computed.
struct FeedWindow {
  std::size_t recording = 0;  ///< its index in the list
  double start_s = 0, end_s = 0;
  double part = 0;  ///< of the recording, decoded up to here: 0 (or unknown) to 1
  std::vector<float> samples;
};

/// A recording is over: whole, or as `status` says.
struct FeedEnd {
  std::size_t recording = 0;
  Status status;
  std::uint64_t windows = 0;  ///< that were delivered
};

using FeedItem = std::variant<FeedWindow, FeedEnd>;

struct FeedOptions {
  DecodeOptions decode;
  std::size_t ahead = 12;    ///< windows decoded before they are asked for, about
  std::size_t decoders = 1;  ///< threads that decode
  std::span<DecoderProcess> processes =
      {};  ///< one for each of those to decode in; if there are none, they decode themselves
};

/// Threads decode recordings in turn, each into a queue of bounded length, so memory depends neither on how
/// many recordings there are nor on how long they are.
class WindowFeed {
 public:
  /// `recordings` must outlive the feed.
  WindowFeed(std::span<const Recording> recordings, const FeedOptions& options);
  WindowFeed(const WindowFeed&) = delete;
  WindowFeed& operator=(const WindowFeed&) = delete;
  ~WindowFeed();

  /// The windows of the first recording in order, its end, those of the second, and so on; at last nothing.
  std::optional<FeedItem> next();

 private:
  using Queue = BoundedQueue<FeedItem>;

  void decode_share(std::size_t decoder);
  bool decode(FeedEnd& end, std::size_t decoder) const;

  std::span<const Recording> recordings_;
  FeedOptions options_;
  std::size_t current_ = 0;                     // recording
  std::vector<std::unique_ptr<Queue>> queues_;  // of decoder d, who takes recordings d, d + decoders, ...
  std::vector<std::jthread> decoders_;
};

}  // namespace pantanal::infer
