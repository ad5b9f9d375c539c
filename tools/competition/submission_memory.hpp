// What a submission takes beside Perch, for --max-memory.
#pragma once

#include <cstddef>
#include <filesystem>

#include "memory_limit.hpp"
#include "pantanal/competition/heads.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::competition {

/// Whether `heads` can be loaded within `limit` bytes. Error: unsupported. A file
/// that is not there can.
Status check_heads_memory(const std::filesystem::path& heads, std::size_t limit);

/// `run` with what else there is: `heads`, of `heads_bytes` in their file, soundscapes decoded ahead, and the
/// rows of `soundscapes`. Perch keeps the labels only that the heads read.
infer::RunSize submission_size(const HeadsBundle& heads, std::size_t heads_bytes, std::size_t soundscapes,
                               infer::RunSize run);

}  // namespace pantanal::competition
