// parse_soundscape_filename: what a soundscape's file name says of where and when it was recorded.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pantanal::pipeline {

/// BC2026_(Train|Test)_FILEID_SITE_YYYYMMDD_HHMMSS.ogg in parts; for a name of another form every part is
/// absent, -1 where it is a number.
struct SoundscapeFilename {
  std::optional<std::string> file_id;   ///< digits, leading zeros kept
  std::optional<std::string> site;      ///< S and digits
  std::optional<std::string> date;      ///< yyyymmdd; absent if the calendar has no such day
  std::optional<std::string> time_utc;  ///< hhmmss
  int hour_utc = -1;                    ///< its first two digits, 0 to 99: they are not checked
  int month = -1;                       ///< 1 to 12; -1 without a date
};

namespace detail {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes `text` from the front of `rest`, if it is there.
inline bool take(std::string_view& rest, std::string_view text) {
  if (!rest.starts_with(text)) return false;
  rest.remove_prefix(text.size());
  return true;
}

/// Takes all digits at the front of `rest`.
inline std::string_view take_digits(std::string_view& rest) {
  const auto count = static_cast<std::size_t>(std::ranges::find_if_not(rest, is_digit) - rest.begin());
  const std::string_view digits = rest.substr(0, count);
  rest.remove_prefix(count);
  return digits;
}

inline int to_int(std::string_view digits) {
  int value = 0;
  for (const char c : digits) value = 10 * value + (c - '0');
  return value;
}

/// Whether yyyymmdd is a day of the Gregorian calendar within the years that a 64-bit count of nanoseconds
/// spans whole, which is as far as the notebook's dates go.
inline bool is_date(std::string_view ymd) {
  const int year = to_int(ymd.substr(0, 4)), month = to_int(ymd.substr(4, 2)), day = to_int(ymd.substr(6));
  if (year < 1678 || year > 2261 || month < 1 || month > 12 || day < 1) return false;
  constexpr std::array days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= days[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
}

}  // namespace detail

/// The parts of a soundscape's file name (no folder). As in the notebook, whose pattern is tied to the start
/// of the name only, text after ".ogg" is accepted.
inline SoundscapeFilename parse_soundscape_filename(std::string_view name) {
  std::string_view rest = name;
  if (!detail::take(rest, "BC2026_")) return {};
  if (!detail::take(rest, "Train_") && !detail::take(rest, "Test_")) return {};
  const std::string_view file_id = detail::take_digits(rest);
  if (file_id.empty() || !detail::take(rest, "_S")) return {};
  const std::string_view site = detail::take_digits(rest);
  if (site.empty() || !detail::take(rest, "_")) return {};
  const std::string_view date = detail::take_digits(rest);
  if (date.size() != 8 || !detail::take(rest, "_")) return {};
  const std::string_view time = detail::take_digits(rest);
  if (time.size() != 6 || !detail::take(rest, ".ogg")) return {};

  SoundscapeFilename parts;
  parts.file_id = file_id;
  parts.site = "S" + std::string(site);
  parts.time_utc = time;
  parts.hour_utc = detail::to_int(time.substr(0, 2));
  if (detail::is_date(date)) {
    parts.date = date;
    parts.month = detail::to_int(date.substr(4, 2));
  }
  return parts;
}

}  // namespace pantanal::pipeline
