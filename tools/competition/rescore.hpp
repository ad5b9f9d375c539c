// The whole run of `pantanal-infer rescore`: from Perch's outputs as they are in a cache to a submission.
#pragma once

#include "command_lines.hpp"
#include "console.hpp"
#include "exit_code.hpp"

namespace pantanal::competition {

/// Scores every file of the cache with everything that the heads have, and writes what `options` ask for.
infer::ExitCode rescore(const RescoreOptions& options, infer::Console& console);

}  // namespace pantanal::competition
