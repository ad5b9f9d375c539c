// pantanal-convert's command line.
#pragma once

#include <optional>
#include <string>

#include "convert.hpp"

namespace pantanal::convert {

/// Either options, or a text to print (help, version, or what is wrong) and the code to end with.
struct CommandLine {
  std::optional<ConvertOptions> options;
  ExitCode code = ExitCode::done;
  std::string text;
};

CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace pantanal::convert
