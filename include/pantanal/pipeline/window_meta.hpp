// WindowMeta: which window of which soundscape a row of scores belongs to.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/utf8.hpp"
#include "pantanal/pipeline/matrix.hpp"
#include "pantanal/pipeline/soundscape_filename.hpp"

namespace pantanal::pipeline {

/// Where and when a soundscape was recorded, as far as its name says.
struct SiteHour {
  std::optional<std::string> site;
  int hour_utc = -1;
};

/// One row of scores.
struct WindowMeta {
  std::string row_id;    ///< file name without suffix, UTF-8, "_", second at which the window ends
  std::string filename;  ///< without folder
  SiteHour place;
};

/// Site and hour out of a file name (see parse_soundscape_filename).
inline SiteHour parse_site_hour(std::string_view filename) {
  SoundscapeFilename parts = parse_soundscape_filename(filename);
  return {std::move(parts.site), parts.hour_utc};
}

/// The twelve rows of one soundscape, which end at second 5, 10, … 60. A folder before the name is dropped. A
/// name is bytes: those that are no UTF-8 are \xNN in row_id, which goes into tables that must be.
inline std::vector<WindowMeta> soundscape_windows(const std::filesystem::path& path) {
  const std::string filename = path.filename().string(), stem = escape_not_utf8(path.stem().string());
  const SiteHour place = parse_site_hour(filename);
  std::vector<WindowMeta> windows;
  for (std::size_t end_sec = 5; end_sec <= 5 * n_windows_per_file; end_sec += 5)
    windows.push_back({stem + "_" + std::to_string(end_sec), filename, place});
  return windows;
}

}  // namespace pantanal::pipeline
