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

/// Inputs are files, or folders of which every file is one. Errors: an output that is an input, two outputs
/// that are one.
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

}  // namespace pantanal::infer
