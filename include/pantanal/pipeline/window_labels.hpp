// What train_soundscapes_labels.csv says: its windows, their labels, and the files that are labelled
// throughout.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/io/csv.hpp"
#include "pantanal/pipeline/matrix.hpp"
#include "pantanal/pipeline/soundscape_labels.hpp"
#include "pantanal/pipeline/window_meta.hpp"

namespace pantanal::pipeline {

/// One labelled window, the union of all lines that name it.
struct LabelledWindow {
  WindowMeta meta;
  int end_sec = 0;                  ///< when it ends, fractions of a second cut off
  std::vector<std::string> labels;  ///< sorted, each once, unknown ones included
};

/// The notebook's sc_clean, Y_SC and Y_FULL.
struct WindowLabels {
  std::vector<LabelledWindow> windows;  ///< sorted by filename, start and end, each as text
  MultiHot y_sc;                        ///< [windows, classes]
  std::vector<std::string> full_files;  ///< with exactly twelve windows, sorted
  std::vector<std::size_t> full_rows;   ///< those files' windows, sorted by file and end
  /// Labels that are no class, and how many windows have them; not the "nan" of empty cells.
  std::map<std::string, std::size_t, std::less<>> unknown_labels;
  std::vector<std::size_t> off_grid;  ///< windows that are not five seconds from a multiple of five on

  /// The labels of the fully labelled files alone, [full_rows, classes].
  MultiHot y_full() const {
    MultiHot y(full_rows.size(), y_sc.columns);
    for (std::size_t i = 0; i < full_rows.size(); ++i)
      std::ranges::copy(y_sc.row(full_rows[i]), y.row(i).begin());
    return y;
  }
};

namespace detail {

/// Whole seconds of "[N days ]H:MM:SS[.fraction]", at most 10^6 of them; nothing if it is not such a time.
inline std::optional<int> parse_seconds(std::string_view text) {
  const auto number = [&text](std::size_t most_digits) {
    const std::string_view digits = take_digits(text);
    return digits.empty() || digits.size() > most_digits ? -1 : to_int(digits);
  };
  int hours = number(2);
  if (hours >= 0 && take(text, " days ")) {
    const int days = std::exchange(hours, number(2));
    if (hours < 0 || days > 10) return std::nullopt;
    hours += 24 * days;
  }
  if (hours < 0 || !take(text, ":")) return std::nullopt;
  const int minutes = number(2);
  if (minutes < 0 || minutes > 59 || !take(text, ":")) return std::nullopt;
  const int seconds = number(2);
  if (seconds < 0 || seconds > 59) return std::nullopt;
  if (take(text, ".")) take_digits(text);
  if (!text.empty()) return std::nullopt;
  return 3600 * hours + 60 * minutes + seconds;
}

/// `name` without any ".ogg" in it, wherever that is: the notebook's replace() is not tied to the end.
inline std::string without_ogg(std::string name) {
  constexpr std::string_view suffix = ".ogg";
  for (std::size_t at = 0; (at = name.find(suffix, at)) != name.npos;) name.erase(at, suffix.size());
  return name;
}

/// Whether a window from `start` to `end`, both times, is one of those that a soundscape is cut into.
inline bool is_on_grid(std::string_view start, std::string_view end) {
  const auto is_whole = [](std::string_view time) {
    const std::size_t point = time.find('.');
    return point == time.npos || time.find_first_not_of('0', point + 1) == time.npos;
  };
  const int begin = *parse_seconds(start);
  return is_whole(start) && is_whole(end) && begin % 5 == 0 && *parse_seconds(end) == begin + 5;
}

/// y_sc, and what labels it has no column for.
inline void mark_labels(WindowLabels& table, std::span<const std::string> classes) {
  std::map<std::string_view, std::size_t> column;
  for (std::size_t c = 0; c < classes.size(); ++c) column.emplace(classes[c], c);
  table.y_sc = MultiHot(table.windows.size(), classes.size());
  for (std::size_t i = 0; i < table.windows.size(); ++i)
    for (const std::string& label : table.windows[i].labels) {
      if (const auto found = column.find(label); found != column.end()) {
        table.y_sc(i, found->second) = 1;
      } else if (label != "nan") {
        ++table.unknown_labels[label];
      }
    }
}

inline void find_full_files(WindowLabels& table) {
  std::map<std::string_view, std::vector<std::size_t>> rows_of;
  for (std::size_t i = 0; i < table.windows.size(); ++i) rows_of[table.windows[i].meta.filename].push_back(i);
  for (auto& [file, rows] : rows_of) {
    if (rows.size() != n_windows_per_file) continue;
    std::ranges::stable_sort(rows, {}, [&](std::size_t i) { return table.windows[i].end_sec; });
    table.full_files.emplace_back(file);
    table.full_rows.insert(table.full_rows.end(), rows.begin(), rows.end());
  }
}

}  // namespace detail

/// Groups the rows of a label table (columns filename, start, end, primary_label; the header first) by file,
/// start and end. `classes` are the columns of y_sc; labels that are none of them are kept in the windows'
/// lists and counted. A file counts as fully labelled by the number of its windows alone. `where` names the
/// table in errors: `not_found` for a missing column, `corrupt` for a time that is none or an empty file
/// name.
inline Result<WindowLabels> build_window_labels(std::span<const CsvRow> rows,
                                                std::span<const std::string> classes,
                                                std::string_view where) {
  if (rows.empty())
    return Error{ErrorCode::corrupt, std::string(where), "no header", "filename,start,end,primary_label"};
  PANTANAL_TRY(const std::size_t filename, find_column(rows[0], "filename", where));
  PANTANAL_TRY(const std::size_t start, find_column(rows[0], "start", where));
  PANTANAL_TRY(const std::size_t end, find_column(rows[0], "end", where));
  PANTANAL_TRY(const std::size_t label, find_column(rows[0], "primary_label", where));

  std::map<std::tuple<std::string, std::string, std::string>, std::vector<std::string>> cells;
  for (const CsvRow& row : rows.subspan(1)) {
    const std::string line = std::string(where) + ":" + std::to_string(row.line);
    if (row.fields[filename].empty())
      return Error{ErrorCode::corrupt, line, "no file name", "a soundscape's file name"};
    for (const std::size_t time : {start, end})
      if (!detail::parse_seconds(row.fields[time]))
        return Error{ErrorCode::corrupt, line, "'" + row.fields[time] + "'", "a time as 00:00:05"};
    cells[{row.fields[filename], row.fields[start], row.fields[end]}].push_back(row.fields[label]);
  }

  WindowLabels table;
  for (const auto& [key, labels] : cells) {
    const std::string& file = std::get<0>(key);
    const int end_sec = *detail::parse_seconds(std::get<2>(key));
    if (!detail::is_on_grid(std::get<1>(key), std::get<2>(key)))
      table.off_grid.push_back(table.windows.size());
    table.windows.push_back(
        {{detail::without_ogg(file) + "_" + std::to_string(end_sec), file, parse_site_hour(file)},
         end_sec,
         union_labels(labels)});
  }
  detail::mark_labels(table, classes);
  detail::find_full_files(table);
  return table;
}

/// The label table in a file, as build_window_labels gives it.
inline Result<WindowLabels> read_window_labels(const std::filesystem::path& path,
                                               std::span<const std::string> classes) {
  PANTANAL_TRY(const std::vector<CsvRow> rows, read_csv(path));
  return build_window_labels(rows, classes, path.string());
}

/// Columns with a positive, in ascending order. The notebook asks this of y_sc, all labelled windows, where
/// it fuses scores, and of y_full where it prints "Active classes in full windows".
inline std::vector<std::size_t> active_classes(const MultiHot& y) {
  std::vector<std::size_t> active;
  for (std::size_t c = 0; c < y.columns; ++c) {
    bool any = false;
    for (std::size_t i = 0; i < y.rows && !any; ++i) any = y(i, c) != 0;
    if (any) active.push_back(c);
  }
  return active;
}

}  // namespace pantanal::pipeline
