// What pantanal-convert tells the shell.
#pragma once

namespace pantanal::convert {

/// The text of --help lists them for users.
enum class ExitCode {
  done = 0,
  unexpected = 1,  ///< memory ran out, or a bug
  usage = 2,       ///< the command line, or a file of labels or classes that it names, makes no sense
  refused = 3,     ///< the source cannot be read, or is not recognised as Perch v2
  disagrees = 4,   ///< the converted model does not compute what the source does
  output = 5,      ///< the output could not be written
};

}  // namespace pantanal::convert
