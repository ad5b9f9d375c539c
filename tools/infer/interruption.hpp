// Ending in good order when the user or the system asks for it.
#pragma once

namespace pantanal::infer {

/// From now on a first SIGINT, SIGTERM, SIGHUP or SIGQUIT is only noted, and writing to a closed pipe is an
/// error rather than the end. A second signal of the same kind ends the program at once.
void watch_for_interruption();

/// Whether such a signal has come.
bool interrupted();

/// Ends the program by the signal that has come, so that a shell sees it. Returns if none has.
void end_by_signal();

}  // namespace pantanal::infer
