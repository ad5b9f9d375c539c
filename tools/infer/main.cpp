// pantanal-infer: recordings in, Perch's embeddings and class scores out; `pantanal-infer --stream`: the same
// of sound as it comes; `pantanal-infer submit`: a submission; `pantanal-infer rescore`: a submission of
// outputs that Perch has given before.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "command_line.hpp"
#include "command_lines.hpp"
#include "console.hpp"
#include "infer.hpp"
#include "interruption.hpp"
#include "rescore.hpp"
#include "stream.hpp"
#include "stream_options.hpp"
#include "submit.hpp"

namespace {

using namespace pantanal::infer;

/// If a standard stream is closed its number would go to the next file opened. Something that refuses to be
/// written, or read, takes its place.
void occupy_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) < 0) ::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

ExitCode print(ExitCode code, const std::string& text) {
  std::FILE* const stream = code == ExitCode::done ? stdout : stderr;
  const bool printed = std::fputs(text.c_str(), stream) >= 0 && std::fflush(stream) == 0;
  return printed ? code : ExitCode::output;
}

ExitCode run(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "submit") {
    const auto command = pantanal::competition::parse_submit_line(argc - 1, argv + 1);
    if (!command.options) return print(command.code, command.text);
    watch_for_interruption();
    Console console;
    return pantanal::competition::submit(*command.options, console);
  }
  if (argc > 1 && std::string_view(argv[1]) == "rescore") {
    const auto command = pantanal::competition::parse_rescore_line(argc - 1, argv + 1);
    if (!command.options) return print(command.code, command.text);
    Console console;
    return pantanal::competition::rescore(*command.options, console);
  }
  if (is_stream_line(argc, argv)) {
    const StreamCommandLine command = parse_stream_line(argc, argv);
    if (!command.options) return print(command.code, command.text);
    watch_for_interruption();
    Console console;
    return stream_events(*command.options, console);
  }
  const CommandLine command = parse_command_line(argc, argv);
  if (!command.options) return print(command.code, command.text);
  watch_for_interruption();
  Console console;
  return infer(*command.options, console);
}

}  // namespace

int main(int argc, char** argv) {
  occupy_closed_streams();
  ExitCode code = ExitCode::unexpected;
  try {
    code = run(argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "pantanal-infer: %s\n", failure.what());
  }
  if (code == ExitCode::interrupted) end_by_signal();
  return static_cast<int>(code);
}
