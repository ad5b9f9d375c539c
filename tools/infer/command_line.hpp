// The command line of pantanal-infer.
#pragma once

#include <optional>
#include <string>

#include "exit_code.hpp"
#include "options.hpp"

namespace pantanal::infer {

/// Either options to go on with, or text to print and a code to end with: --help, --version or a mistake.
struct CommandLine {
  std::optional<Options> options;
  ExitCode code = ExitCode::done;
  std::string text;  ///< for standard output if `code` is done, else for standard error
};

CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace pantanal::infer
