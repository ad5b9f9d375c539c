// The whole run of pantanal-train.
#pragma once

#include "command_lines.hpp"
#include "console.hpp"
#include "exit_code.hpp"

namespace pantanal::competition {

/// Trains what `options` ask for and writes it, with a log beside it; says on `console` how it goes.
infer::ExitCode train(const TrainOptions& options, infer::Console& console);

}  // namespace pantanal::competition
