// pantanal-convert: public Perch v2 weights in, one model file out.
#include <signal.h>

#include <exception>
#include <iostream>

#include "command_line.hpp"
#include "convert.hpp"

int main(int argc, char** argv) {
  using namespace pantanal::convert;
  ::signal(SIGXFSZ, SIG_IGN);  // a file that grows too large is a failed write, to be reported and cleaned up
  ::signal(SIGPIPE, SIG_IGN);  // a reader of the summary that has gone is no reason not to write the model
  try {
    const CommandLine command = parse_command_line(argc, argv);
    if (command.options) return static_cast<int>(convert(*command.options, std::cout, std::cerr));
    (command.code == ExitCode::done ? std::cout : std::cerr) << command.text << std::flush;
    return static_cast<int>(command.code);
  } catch (const std::bad_alloc&) {
    std::cerr << "pantanal-convert: out of memory\n";
  } catch (const std::exception& failure) {
    std::cerr << "pantanal-convert: " << failure.what() << "\n";
  }
  return static_cast<int>(ExitCode::unexpected);
}
