#include "soundscape_feed.hpp"

#include <chrono>
#include <utility>

namespace pantanal::competition {

SoundscapeFeed::SoundscapeFeed(std::vector<std::filesystem::path> paths, SoundscapeDecoder& decoder)
    : paths_(std::move(paths)),
      decoder_(decoder),
      thread_([this](const std::stop_token& stop) { decode_all(stop); }) {}

SoundscapeFeed::~SoundscapeFeed() {
  thread_.request_stop();
  queue_.close();
  if (taken_ < paths_.size()) decoder_.stop();
}

std::optional<DecodedSoundscape> SoundscapeFeed::next(const std::function<bool()>& stop) {
  auto decoded = stop ? queue_.pop_unless(stop) : queue_.pop();
  if (decoded) ++taken_;
  return decoded;
}

void SoundscapeFeed::decode_all(const std::stop_token& stop) {
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    const auto start = std::chrono::steady_clock::now();
    Result<std::vector<float>> samples = decoder_.decode(paths_[i], stop);
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    if (!queue_.push({i, std::move(samples), spent.count()})) return;
  }
  queue_.close();
}

}  // namespace pantanal::competition
