// What a process that decodes may do.
#pragma once

#include "decoder_process.hpp"

namespace pantanal::infer {

/// Of the calling process, for good: no file descriptors but the standard ones and `socket`, nothing that it
/// writes to standard output or error, no more memory than `limits` says, no core dump, no signal from the
/// terminal, an end with its parent.
void confine(int socket, const DecoderLimits& limits);

/// Takes from the calling process, for good, what decoding does not need: to write, to make or to remove
/// files, to open connections, to start programs or processes, to trace or signal others. Refused calls fail
/// with EPERM. False where the kernel has no seccomp; nothing is taken then.
bool drop_rights();

/// From now on `seconds` of CPU time until SIGPROF ends the process; 0: any.
void allow_cpu(int seconds);

}  // namespace pantanal::infer
