// check_paths: that no output takes an input's place, or another output's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "pantanal/core/result.hpp"

namespace pantanal::competition {

/// A path as the command line names it.
struct NamedPath {
  std::string name;  ///< such as `--out`
  std::filesystem::path path;
};

namespace detail {

/// Links resolved as far as the path exists.
inline std::filesystem::path resolved(const std::filesystem::path& path) {
  std::error_code code;
  const std::filesystem::path absolute = std::filesystem::absolute(path, code);
  std::filesystem::path found = std::filesystem::weakly_canonical(absolute, code);
  return code ? absolute.lexically_normal() : found;
}

}  // namespace detail

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

/// Errors: an output that is an input or lies in a folder of inputs' recordings, two outputs that are one.
inline Status check_paths(const std::vector<NamedPath>& outputs, const std::vector<NamedPath>& inputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::filesystem::path path = detail::resolved(outputs[i].path);
    const auto clashes = [&](const NamedPath& other) {
      const std::filesystem::path taken = detail::resolved(other.path);
      return path == taken || path.parent_path() == taken;
    };
    const auto input = std::find_if(inputs.begin(), inputs.end(), clashes);
    const auto output = std::find_if(outputs.begin(), outputs.begin() + static_cast<std::ptrdiff_t>(i),
                                     [&](const NamedPath& o) { return path == detail::resolved(o.path); });
    const bool is_output = output != outputs.begin() + static_cast<std::ptrdiff_t>(i);
    if (input != inputs.end() || is_output)
      return Error{ErrorCode::invalid_argument, outputs[i].name,
                   outputs[i].path.string() + ", where " + (is_output ? output->name : input->name) + " is",
                   "a file of its own"};
  }
  return {};
}

}  // namespace pantanal::competition
