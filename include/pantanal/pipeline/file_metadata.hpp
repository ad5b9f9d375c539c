// Rows of windows as files: their names, and the site and hour ids that sequence models take.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/pipeline/window_meta.hpp"

namespace pantanal::pipeline {

/// Ids of sites, from 1; 0 is for sites that are not in it. Windows without site share an id of their own,
/// listed like any other: so it is in the notebook.
using SiteMapping = std::map<std::optional<std::string>, std::int64_t>;

/// Numbers the sites of `meta` in order of appearance.
inline SiteMapping build_site_mapping(std::span<const WindowMeta> meta) {
  SiteMapping ids;
  for (const WindowMeta& window : meta)
    ids.emplace(window.place.site, static_cast<std::int64_t>(ids.size()) + 1);
  return ids;
}

/// Ids in use, the unknown site's 0 among them: the rows that a model's table needs, and what the notebook
/// prints as "Sites mapped" (9 where its fully labelled files are from 8 sites).
inline std::int64_t n_sites_mapped(const SiteMapping& sites) {
  return static_cast<std::int64_t>(sites.size()) + 1;
}

/// The files of `meta`, whose rows must be whole files of `n_windows` windows one after the other: what makes
/// [N, C] readable as [F, n_windows, C]. Errors: a file with another number of windows, or in two places.
inline Result<std::vector<std::string>> reshape_to_files(std::span<const WindowMeta> meta,
                                                         std::size_t n_windows = n_windows_per_file) {
  std::vector<std::string> files;
  std::set<std::string_view> seen;
  for (std::size_t first = 0; first < meta.size();) {
    const std::string& file = meta[first].filename;
    std::size_t last = first;
    while (last < meta.size() && meta[last].filename == file) ++last;
    if (last - first != n_windows)
      return Error{ErrorCode::mismatch, file, std::to_string(last - first) + " windows in a row",
                   std::to_string(n_windows)};
    if (!seen.insert(file).second)
      return Error{ErrorCode::mismatch, file, "its windows in two places", "each file once"};
    files.push_back(file);
    first = last;
  }
  return files;
}

/// What a sequence model is told of each file.
struct FileIds {
  std::vector<std::int64_t> site_ids, hours;  ///< [files]
};

/// Site ids (0 if unknown, at most n_sites_max−1) and hours (modulo 24, so that the unknown −1 is 23, and
/// never negative) of `files`, each taken from its first row in `meta`; both are 0 for a file that has none
/// there. Error: n_sites_max is 0.
inline Result<FileIds> get_file_metadata(std::span<const WindowMeta> meta, std::span<const std::string> files,
                                         const SiteMapping& sites, std::int64_t n_sites_max) {
  if (n_sites_max < 1)
    return Error{ErrorCode::invalid_argument, "n_sites_max", std::to_string(n_sites_max), "1 or more"};
  std::map<std::string_view, const SiteHour*> place_of;
  for (const WindowMeta& window : meta) place_of.emplace(window.filename, &window.place);
  FileIds ids;
  for (const std::string& file : files) {
    std::int64_t site_id = 0, hour = 0;
    if (const auto place = place_of.find(file); place != place_of.end()) {
      if (const auto site = sites.find(place->second->site); site != sites.end()) site_id = site->second;
      hour = ((place->second->hour_utc % 24) + 24) % 24;
    }
    ids.site_ids.push_back(std::min(site_id, n_sites_max - 1));
    ids.hours.push_back(hour);
  }
  return ids;
}

}  // namespace pantanal::pipeline
