// listen: a file through all that a recording goes through.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <vector>

#include "entry.hpp"
#include "pantanal/audio/windows.hpp"

namespace pantanal::fuzz {

/// Most windows to listen to: damage can state a rate at which a short file lasts for hours.
inline constexpr int most_windows = 40;

inline void listen(const std::filesystem::path& path, bool soundfile_compat = false) {
  constexpr std::size_t samples = 8000;
  auto stream = audio::WindowStream::open(path, {16000, samples, soundfile_compat});
  if (!succeeded(stream)) return;
  std::vector<float> window(samples);
  for (int i = 0; i < most_windows; ++i) {
    const auto next = stream->next(window);
    if (!succeeded(next) || !*next) return;
    require((*next)->recorded <= samples, "a window holds no more than fits");
    require(std::ranges::all_of(window, [](float x) { return std::isfinite(x); }), "samples are finite");
  }
}

}  // namespace pantanal::fuzz
