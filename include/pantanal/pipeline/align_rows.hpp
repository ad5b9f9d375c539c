// align_rows: finds the rows of one table in another by their row_id.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pantanal/core/result.hpp"

namespace pantanal::pipeline {

/// For each of `wanted`, its index in `available`. `where` names the latter in errors: `not_found` for the
/// first row that it lacks, `corrupt` for a row_id that it has twice.
inline Result<std::vector<std::size_t>> align_rows(std::span<const std::string> wanted,
                                                   std::span<const std::string> available,
                                                   std::string_view where) {
  std::map<std::string_view, std::size_t> index_of;
  for (std::size_t i = 0; i < available.size(); ++i)
    if (!index_of.emplace(available[i], i).second)
      return Error{ErrorCode::corrupt, std::string(where), "row_id '" + available[i] + "' twice",
                   "every row_id once"};
  std::vector<std::size_t> indices;
  indices.reserve(wanted.size());
  for (const std::string& row_id : wanted) {
    const auto found = index_of.find(row_id);
    if (found == index_of.end())
      return Error{ErrorCode::not_found, std::string(where), "no row '" + row_id + "'",
                   "a row for each window"};
    indices.push_back(found->second);
  }
  return indices;
}

}  // namespace pantanal::pipeline
