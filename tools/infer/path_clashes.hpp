// check_paths: that no output takes an input's place, or another output's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "pantanal/core/result.hpp"

namespace pantanal::infer {

/// A path as the command line names it.
struct NamedPath {
  std::string name;  ///< such as `--out`
  std::filesystem::path path;
  bool is_folder_of_inputs = false;  ///< every file in it is one
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

/// Errors: an output that is an input or in a folder of inputs, two outputs that are one.
inline Status check_paths(const std::vector<NamedPath>& outputs, std::vector<NamedPath> inputs) {
  const auto clash = [](const NamedPath& output, const std::string& taken_by) {
    return Error{ErrorCode::invalid_argument, output.name,
                 output.path.string() + ", where " + taken_by + " is", "a file of its own"};
  };
  for (NamedPath& input : inputs) input.path = detail::resolved(input.path);
  std::vector<std::filesystem::path> taken;
  for (const NamedPath& output : outputs) {
    const std::filesystem::path path = detail::resolved(output.path);
    if (const auto other = std::find(taken.begin(), taken.end(), path); other != taken.end())
      return clash(output, outputs[static_cast<std::size_t>(other - taken.begin())].name);
    for (const NamedPath& input : inputs)
      if (path == input.path || (input.is_folder_of_inputs && path.parent_path() == input.path))
        return clash(output, input.name);
    taken.push_back(path);
  }
  return {};
}

}  // namespace pantanal::infer
