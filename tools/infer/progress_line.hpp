// The text of a progress bar.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>

namespace pantanal::infer {

struct Progress {
  double part = 0;       ///< of the work, 0 to 1
  double audio_s = 0;    ///< of recordings done so far
  double elapsed_s = 0;  ///< since the start
};

/// "1:02:03" for 3723 s; "-:--:--" for what is not known.
inline std::string clock_text(double seconds) {
  if (!(seconds >= 0 && seconds < 1e7)) return "-:--:--";
  const auto whole = static_cast<long>(std::lround(seconds));
  char text[32];
  std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
  return text;
}

/// "[####      ]  40 %  212 x real time  0:01:23 left", with dashes while nothing is done yet, at most
/// `columns` long: the bar takes what room there is, up to 40, and is left out where there is none.
inline std::string progress_line(const Progress& progress, std::size_t columns) {
  constexpr std::size_t widest_bar = 40, narrowest_bar = 5;
  const double part = std::clamp(progress.part, 0.0, 1.0);
  const bool is_known = progress.audio_s > 0 && progress.elapsed_s > 0;  // recordings are decoded ahead
  const double rate = is_known ? progress.audio_s / progress.elapsed_s : 0;
  const double left_s = is_known && part > 0 ? progress.elapsed_s * (1 - part) / part : -1;
  char speed[48] = "-", text[128];
  if (is_known) std::snprintf(speed, sizeof speed, "%.*f", rate < 10 ? 1 : 0, rate);
  std::snprintf(text, sizeof text, "%3.0f %%  %s x real time  %s left", std::floor(part * 100), speed,
                clock_text(left_s).c_str());
  std::string line = text;
  if (columns >= line.size() + narrowest_bar + 4) {
    const std::size_t width = std::min(widest_bar, columns - line.size() - 4);
    const auto filled = static_cast<std::size_t>(part * static_cast<double>(width));
    line = "[" + std::string(filled, '#') + std::string(width - filled, ' ') + "]  " + line;
  }
  line.resize(std::min(line.size(), columns));
  return line;
}

}  // namespace pantanal::infer
