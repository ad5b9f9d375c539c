// From a competition's folder to submission.csv, always before the bell.
#pragma once

#include "console.hpp"
#include "exit_code.hpp"
#include "submit_options.hpp"

namespace pantanal::competition {

/// A complete submission of priors stands within seconds; soundscapes then take their rows' place as they are
/// done, on disk about every ten seconds. Says on `console` what is given up for time, and what could not be
/// read. A signal or the end of the time ends it in good order. Returns done with a complete submission in
/// place, whatever it holds.
infer::ExitCode submit(const SubmitOptions& options, infer::Console& console);

}  // namespace pantanal::competition
