// pantanal-infer: recordings in, Perch's embeddings and class scores out.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "command_line.hpp"
#include "console.hpp"
#include "infer.hpp"
#include "interruption.hpp"

namespace {

using namespace pantanal::infer;

/// If a standard stream is closed its number would go to the next file opened. Something that refuses to be
/// written, or read, takes its place.
void occupy_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) < 0) ::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

ExitCode print(const CommandLine& command) {
  std::FILE* const stream = command.code == ExitCode::done ? stdout : stderr;
  const bool printed = std::fputs(command.text.c_str(), stream) >= 0 && std::fflush(stream) == 0;
  return printed ? command.code : ExitCode::output;
}

}  // namespace

int main(int argc, char** argv) {
  occupy_closed_streams();
  ExitCode code = ExitCode::unexpected;
  try {
    const CommandLine command = parse_command_line(argc, argv);
    if (!command.options) return static_cast<int>(print(command));
    watch_for_interruption();
    Console console;
    code = infer(*command.options, console);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "pantanal-infer: %s\n", failure.what());
  }
  if (code == ExitCode::interrupted) end_by_signal();
  return static_cast<int>(code);
}
