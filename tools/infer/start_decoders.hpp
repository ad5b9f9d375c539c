// start_decoders: the processes that a run decodes in.
#pragma once

#include <cstddef>
#include <vector>

#include "console.hpp"
#include "decoder_process.hpp"

namespace pantanal::infer {

/// `count` processes. None, so that the program decodes itself, if the system has none left, which is said.
/// Forks: before the program has threads.
std::vector<DecoderProcess> start_decoders(std::size_t count, const DecoderLimits& limits,
                                           DecoderProcess::Decode decode, Console& console);

}  // namespace pantanal::infer
