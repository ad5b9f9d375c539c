// From recordings to results: the whole run of pantanal-infer.
#pragma once

#include "console.hpp"
#include "exit_code.hpp"
#include "options.hpp"

namespace pantanal::infer {

/// Does what `options` ask for; says on `console` what goes wrong. Results do not depend on threads or batch.
ExitCode infer(const Options& options, Console& console);

}  // namespace pantanal::infer
