// CompetitionTables: what a competition's CSV files say of its classes and labels.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/competition/configuration.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/pipeline/align_rows.hpp"
#include "pantanal/pipeline/prior_tables.hpp"
#include "pantanal/pipeline/submission.hpp"
#include "pantanal/pipeline/taxonomy.hpp"
#include "pantanal/pipeline/window_labels.hpp"

namespace pantanal::competition {

struct CompetitionTables {
  std::vector<std::string> classes;
  pipeline::Taxonomy taxonomy;
  pipeline::WindowLabels labels;
  std::vector<bool> texture;  ///< [classes]

  /// The prior tables of all labelled windows.
  Result<pipeline::PriorTables> fit_priors() const {
    std::vector<pipeline::SiteHour> places;
    for (const pipeline::LabelledWindow& window : labels.windows) places.push_back(window.meta.place);
    return pipeline::fit_prior_tables(places, labels.y_sc);
  }
};

namespace detail {

/// The first few of `names`, and how many more there are.
inline std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t most = 5;
  constexpr std::size_t longest = 120;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) {
    std::size_t end = std::min(names[i].size(), longest);
    while (end < names[i].size() && end > 0 && (names[i][end] & 0xC0) == 0x80) --end;  // within a character
    text += (i ? ", " : "") + names[i].substr(0, end) + (end < names[i].size() ? "..." : "");
  }
  if (names.size() > most) text += " and " + std::to_string(names.size() - most) + " more";
  return text;
}

/// For each of `meta` the label table's window of that row_id: one on the grid, if there is one, since
/// another may end where it ends.
inline Result<std::vector<std::size_t>> label_rows(std::span<const pipeline::WindowMeta> meta,
                                                   const pipeline::WindowLabels& labels) {
  std::vector<std::string> wanted, available;
  std::vector<std::size_t> index;
  std::set<std::string_view> taken;
  std::vector<bool> is_off_grid(labels.windows.size());
  for (const std::size_t i : labels.off_grid) is_off_grid[i] = true;
  for (const auto& window : meta) wanted.push_back(window.row_id);
  for (const bool off_grid : {false, true})
    for (std::size_t i = 0; i < labels.windows.size(); ++i) {
      const std::string& row_id = labels.windows[i].meta.row_id;
      if (is_off_grid[i] != off_grid || (off_grid && taken.contains(row_id))) continue;
      taken.insert(row_id);
      available.push_back(row_id);
      index.push_back(i);
    }
  PANTANAL_TRY(std::vector<std::size_t> rows,
               pipeline::align_rows(wanted, available, "train_soundscapes_labels.csv"));
  for (std::size_t& row : rows) row = index[row];
  return rows;
}

}  // namespace detail

/// What the label table says that nothing is made of, for people: labels without a column, times off the
/// grid.
inline std::vector<std::string> unused_labels(const pipeline::WindowLabels& labels) {
  const std::string table = "train_soundscapes_labels.csv: ";
  std::vector<std::string> notes, unknown;
  for (const auto& [label, windows] : labels.unknown_labels)
    unknown.push_back(label + " (" + std::to_string(windows) + (windows == 1 ? " window)" : " windows)"));
  if (!unknown.empty())
    notes.push_back(
        table + std::to_string(unknown.size()) +
        " labels are no column of sample_submission.csv and left out: " + detail::some_of(unknown));
  std::vector<std::string> off_grid;
  for (const std::size_t i : labels.off_grid) off_grid.push_back(labels.windows[i].meta.row_id);
  if (!off_grid.empty())
    notes.push_back(table + std::to_string(off_grid.size()) +
                    " windows are not five seconds from a multiple of five on, and count for priors only: " +
                    detail::some_of(off_grid));
  return notes;
}

/// sample_submission.csv, taxonomy.csv and train_soundscapes_labels.csv of the folder `data`. Errors: those
/// of the readers, which name the file and its line.
inline Result<CompetitionTables> read_competition_tables(const std::filesystem::path& data) {
  CompetitionTables tables;
  PANTANAL_TRY(pipeline::SampleSubmission sample,
               pipeline::read_sample_submission(data / "sample_submission.csv"));
  tables.classes = std::move(sample.classes);
  PANTANAL_TRY(tables.taxonomy, pipeline::read_taxonomy(data / "taxonomy.csv"));
  PANTANAL_TRY(tables.labels,
               pipeline::read_window_labels(data / "train_soundscapes_labels.csv", tables.classes));
  PANTANAL_TRY(tables.texture, pipeline::texture_classes(tables.taxonomy, tables.classes));
  return tables;
}

}  // namespace pantanal::competition
