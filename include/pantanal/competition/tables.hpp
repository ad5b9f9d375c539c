// CompetitionTables: what a competition's CSV files say of its classes and labels.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/competition/configuration.hpp"
#include "pantanal/core/result.hpp"
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
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) text += (i ? ", " : "") + names[i];
  if (names.size() > most) text += " and " + std::to_string(names.size() - most) + " more";
  return text;
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
