#include "window_feed.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace pantanal::infer {

WindowFeed::WindowFeed(std::span<const Recording> recordings, const FeedOptions& options)
    : recordings_(recordings), options_(options) {
  const std::size_t decoders =
      std::clamp<std::size_t>(options.decoders, 1, std::max<std::size_t>(1, recordings.size()));
  const std::size_t capacity = std::max<std::size_t>(2, options.ahead / decoders);
  for (std::size_t d = 0; d < decoders; ++d) queues_.push_back(std::make_unique<Queue>(capacity));
  for (std::size_t d = 0; d < decoders; ++d) decoders_.emplace_back([this, d] { decode_share(d); });
}

WindowFeed::~WindowFeed() {
  for (const auto& queue : queues_) queue->close();
}

std::optional<FeedItem> WindowFeed::next() {
  if (current_ == recordings_.size()) return std::nullopt;
  std::optional<FeedItem> item = queues_[current_ % queues_.size()]->pop();
  if (item && std::holds_alternative<FeedEnd>(*item)) ++current_;
  return item;
}

void WindowFeed::decode_share(std::size_t decoder) {
  Queue& queue = *queues_[decoder];
  for (std::size_t recording = decoder; recording < recordings_.size(); recording += queues_.size()) {
    FeedEnd end{recording, {}, 0};
    try {
      if (!decode(end, queue)) return;
    } catch (const std::exception& failure) {
      end.status = Error{ErrorCode::internal, recordings_[recording].path.string(), failure.what(), {}};
    }
    if (!queue.push(std::move(end))) return;
  }
}

/// Delivers the windows of end.recording and tells in `end` how that went. False if nobody takes them any
/// more.
bool WindowFeed::decode(FeedEnd& end, Queue& queue) const {
  auto stream = audio::WindowStream::open(recordings_[end.recording].path, options_.windows);
  if (!stream) {
    end.status = std::move(stream).error();
    return true;
  }
  const double length_s = static_cast<double>(options_.windows.samples) / options_.windows.rate;
  const auto expected = static_cast<double>(stream->windows().value_or(0));
  for (;;) {
    FeedWindow window;
    window.recording = end.recording;
    window.samples.resize(options_.windows.samples);
    auto next = stream->next(window.samples);
    if (!next) end.status = std::move(next).error();
    if (!end.status || !*next) return true;
    audio::normalize(window.samples, options_.normalize);
    window.start_s = (*next)->start_s;
    window.end_s = window.start_s + length_s;
    ++end.windows;
    window.part = expected > 0 ? std::min(1.0, static_cast<double>(end.windows) / expected) : 0;
    if (!queue.push(std::move(window))) return false;
  }
}

}  // namespace pantanal::infer
