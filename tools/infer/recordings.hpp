// The recordings that paths on the command line stand for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "pantanal/core/result.hpp"

namespace pantanal::infer {

struct Recording {
  std::filesystem::path path;
  std::uintmax_t bytes = 0;  ///< size of the file, 0 if unknown: a measure of the work ahead
};

struct RecordingList {
  std::vector<Recording> recordings;            ///< in the order they shall be done, each once
  std::vector<Error> errors;                    ///< inputs that do not exist, folders that hold no recording
  std::vector<std::filesystem::path> repeated;  ///< names that came up again
};

/// Files as they are given, whatever they are called; in a folder's place the files in it that are called
/// like recordings, by name. `recursive` goes down into folders; a link back to a folder above is not
/// followed. `packed_weights`, which may be called like a recording and lie among them, is none if it holds
/// packed weights.
RecordingList find_recordings(std::span<const std::filesystem::path> inputs, bool recursive,
                              const std::filesystem::path& packed_weights = {});

}  // namespace pantanal::infer
