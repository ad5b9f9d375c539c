#include "window_feed.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace pantanal::infer {

WindowFeed::WindowFeed(std::span<const Recording> recordings, const FeedOptions& options)
    : recordings_(recordings), options_(options) {
  std::size_t most = std::max<std::size_t>(1, recordings.size());
  if (!options.processes.empty()) most = std::min(most, options.processes.size());
  const std::size_t decoders = std::clamp<std::size_t>(options.decoders, 1, most);
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
      if (!decode(end, decoder)) return;
    } catch (const std::exception& failure) {
      end.status = Error{ErrorCode::internal, recordings_[recording].path.string(), failure.what(), {}};
    }
    if (!queue.push(std::move(end))) return;
  }
}

/// Delivers the windows of end.recording and tells in `end` how that went. False if nobody takes them any
/// more.
bool WindowFeed::decode(FeedEnd& end, std::size_t decoder) const {
  const audio::WindowOptions& windows = options_.decode.windows;
  const double length_s = static_cast<double>(windows.samples) / windows.rate;
  bool wanted = true;
  const auto take = [&](double start_s, double part, std::span<const float> samples) {
    ++end.windows;
    wanted = queues_[decoder]->push(
        FeedWindow{end.recording, start_s, start_s + length_s, part, {samples.begin(), samples.end()}});
    return wanted;
  };
  const std::filesystem::path& path = recordings_[end.recording].path;
  end.status = options_.processes.empty() ? decode_recording(path, options_.decode, take)
                                          : options_.processes[decoder].decode(path, options_.decode, take);
  return wanted;
}

}  // namespace pantanal::infer
