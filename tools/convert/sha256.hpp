// SHA-256 of files, by which a converted model says what it was made from.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "pantanal/core/result.hpp"

namespace pantanal::convert {

/// SHA-256 of the files' bytes, one file after the other, as 64 lower-case hexadecimal digits: what
/// `cat FILES | sha256sum` prints.
Result<std::string> sha256_of_files(std::span<const std::filesystem::path> paths);

/// SHA-256 of one file.
inline Result<std::string> sha256_of_file(const std::filesystem::path& path) {
  return sha256_of_files(std::span(&path, 1));
}

}  // namespace pantanal::convert
