// pantanal-infer --stream: sound in, events out, as it comes.
#pragma once

#include "console.hpp"
#include "exit_code.hpp"
#include "stream_options.hpp"

namespace pantanal::infer {

ExitCode stream_events(const StreamOptions& options, Console& console);

}  // namespace pantanal::infer
