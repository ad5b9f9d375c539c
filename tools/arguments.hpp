// Command lines of every program: no option is taken for another one's value.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

namespace pantanal {

/// CLI11 takes what follows an option for its value whatever it is, so that in `--out --top 3` the file would
/// be called `--top`. Call this once all options are declared.
inline void refuse_options_as_values(CLI::App& app) {
  const auto problem = [&app](const std::string& value) -> std::string {
    const bool is_short = value.size() == 2 && value[0] == '-' && app.get_option_no_throw(value);
    if (!is_short && !value.starts_with("--")) return "";
    return "found the option '" + value + "', expected a value (a file of that name is ./" + value + ")";
  };
  for (CLI::Option* const option : app.get_options())
    if (option->nonpositional() && option->get_items_expected_max() > 0)
      option->check(CLI::Validator(problem, ""));
}

/// As CLI::App::parse, but strict about the values of options.
inline void parse_strictly(CLI::App& app, int argc, const char* const* argv) {
  refuse_options_as_values(app);
  app.parse(argc, argv);
}

/// For programs that have nothing to do when the command line makes no sense: prints help or what is wrong.
/// The code to end with, if the program has to: 0, or 2 as with the other programs.
inline std::optional<int> parse_arguments(CLI::App& app, int argc, const char* const* argv) {
  try {
    parse_strictly(app, argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return std::nullopt;
}

}  // namespace pantanal
