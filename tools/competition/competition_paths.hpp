// Files that a competition's commands read, by the names to tell them by.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "path_clashes.hpp"

namespace pantanal::competition {

using infer::NamedPath;

/// What `pantanal-train` and `submit` read of a competition's folder, tables and folders of recordings.
inline std::vector<NamedPath> competition_inputs(const std::filesystem::path& data) {
  std::vector<NamedPath> inputs;
  for (const char* const name : {"sample_submission.csv", "taxonomy.csv", "train_soundscapes_labels.csv",
                                 "train_soundscapes", "test_soundscapes"})
    inputs.push_back({std::string("the competition's ") + name, data / name});
  return inputs;
}

inline void add_cache_files(std::vector<NamedPath>& paths, const std::filesystem::path& cache) {
  for (const char* const name :
       {"full_perch_arrays.npz", "full_perch_meta.csv", "full_perch_meta.parquet", "full_perch_origin.txt"})
    paths.push_back({std::string("the cache's ") + name, cache / name});
}

}  // namespace pantanal::competition
