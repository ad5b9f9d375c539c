// CompetitionTables: what a competition's CSV files say of its classes and labels.
#pragma once

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
