#include "soundscape_feed.hpp"

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
        for (std::size_t i = 0; i < paths_.size(); ++i)
          if (!queue_.push({i, decode(paths_[i])})) return;
        queue_.close();
      }) {}

}  // namespace pantanal::competition
