#include "soundscape_feed.hpp"

#include <chrono>
#include <exception>
#include <utility>

#include "pantanal/competition/soundscape.hpp"

namespace pantanal::competition {
namespace {

Result<std::vector<float>> decode(const std::filesystem::path& path) {
  try {
    return read_soundscape_60s(path);
  } catch (const std::exception& failure) {  // memory
    return Error{ErrorCode::internal, path.string(), failure.what(), {}};
  }
}

}  // namespace

SoundscapeFeed::SoundscapeFeed(std::vector<std::filesystem::path> paths)
    : paths_(std::move(paths)), decoder_([this] {
        for (std::size_t i = 0; i < paths_.size(); ++i) {
          const auto start = std::chrono::steady_clock::now();
          Result<std::vector<float>> samples = decode(paths_[i]);
          const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
          if (!queue_.push({i, std::move(samples), spent.count()})) return;
        }
        queue_.close();
      }) {}

}  // namespace pantanal::competition
