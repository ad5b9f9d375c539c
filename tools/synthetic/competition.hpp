// A made-up competition's folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "pantanal/core/result.hpp"

namespace pantanal::synthetic {

struct CompetitionOptions {
  std::size_t classes = 24;
  std::size_t train = 8;    ///< soundscapes labelled throughout
  std::size_t partial = 2;  ///< soundscapes of which a few windows are labelled
  std::size_t test = 4;     ///< test soundscapes; 0: not even the folder
  std::size_t broken = 0;   ///< test soundscapes, of those, that are no Ogg, cut off, or of another rate
  std::uint64_t seed = 0;
  std::size_t threads = 1;  ///< the files do not depend on it
};

/// Writes sample_submission.csv, taxonomy.csv, train_soundscapes_labels.csv (every row twice, its labels
/// shared out between both), train_soundscapes, test_soundscapes and, for whoever wants to score a
/// submission, test_soundscapes_labels.csv. Taxonomy and species are made around `perch_labels`. Errors: a
/// folder that is not empty, more broken soundscapes than test soundscapes, and those of writing.
Status make_competition(const std::filesystem::path& folder, std::span<const std::string> perch_labels,
                        const CompetitionOptions& options);

}  // namespace pantanal::synthetic
