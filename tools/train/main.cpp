// pantanal-train: a competition's labels and Perch's outputs in, trained heads out.
#include <cstdio>
#include <exception>

#include "command_lines.hpp"
#include "console.hpp"
#include "interruption.hpp"
#include "train.hpp"

int main(int argc, char** argv) {
  using namespace pantanal;
  infer::ExitCode code = infer::ExitCode::unexpected;
  try {
    const auto line = competition::parse_train_line(argc, argv);
    if (!line.options) {
      std::FILE* const stream = line.code == infer::ExitCode::done ? stdout : stderr;
      const bool printed = std::fputs(line.text.c_str(), stream) >= 0 && std::fflush(stream) == 0;
      return static_cast<int>(printed ? line.code : infer::ExitCode::output);
    }
    infer::watch_for_interruption();
    infer::Console console("pantanal-train");
    code = competition::train(*line.options, console);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "pantanal-train: %s\n", failure.what());
  }
  if (code == infer::ExitCode::interrupted) infer::end_by_signal();
  return static_cast<int>(code);
}
