// Durations as people write them: "85m", "1h30m", "90s", "2.5m".
#pragma once

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

namespace pantanal::competition {

/// Seconds; numbers with h, m or s, one after the other, or a single number of seconds. Nothing if `text` is
/// no such duration, or not positive.
inline std::optional<double> parse_duration(std::string_view text) {
  double seconds = 0;
  const bool has_unit = text.find_first_of("hms") != text.npos;
  while (!text.empty()) {
    double value = 0;
    const auto [stop, code] =
        std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (code != std::errc() || !(value >= 0)) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
    if (!has_unit && text.empty()) {
      seconds = value;
      break;
    }
    if (text.empty()) return std::nullopt;
    if (text[0] != 'h' && text[0] != 'm' && text[0] != 's') return std::nullopt;
    seconds += value * (text[0] == 'h' ? 3600 : text[0] == 'm' ? 60 : 1);
    text.remove_prefix(1);
  }
  return seconds > 0 && std::isfinite(seconds) ? std::optional(seconds) : std::nullopt;
}

}  // namespace pantanal::competition
