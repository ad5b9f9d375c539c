// What pantanal-infer tells the shell.
#pragma once

namespace pantanal::infer {

/// The text of --help lists them for users.
enum class ExitCode {
  done = 0,             ///< every recording, whole
  unexpected = 1,       ///< memory ran out, or a bug
  usage = 2,            ///< the command line makes no sense
  model = 3,            ///< the model could not be loaded
  some_failed = 4,      ///< some recordings, or parts of them, are missing from the output
  output = 5,           ///< the output could not be written, or its reader wants no more
  nothing_written = 6,  ///< no recording was found, or each failed from its start
  memory = 7,           ///< the run would take more memory than --max-memory allows
  interrupted = 130,    ///< by SIGINT, SIGTERM, SIGHUP or SIGQUIT; main() then ends by that signal
};

}  // namespace pantanal::infer
