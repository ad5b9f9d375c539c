// parse_arguments: a command line for programs that have nothing to do when it makes no sense.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>

namespace pantanal {

/// Prints help or what is wrong. The code to end with, if the program has to: 0, or 2 for a command line that
/// makes no sense, as with the other programs.
inline std::optional<int> parse_arguments(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return std::nullopt;
}

}  // namespace pantanal
