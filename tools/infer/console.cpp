#include "console.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "progress_line.hpp"

namespace pantanal::infer {
namespace {

bool can_redraw_lines() {
  const char* const kind = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && kind && std::string_view(kind) != "dumb";
}

std::size_t columns() {
  winsize size = {};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

Console::Console(std::string program) : program_(std::move(program)), is_terminal_(can_redraw_lines()) {}

void Console::say(std::string_view message) {
  hide_progress();
  std::string line = program_ + ": " + std::string(message);
  for (char& c : line)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  std::fputs((line + '\n').c_str(), stderr);
}

ExitCode Console::fail(ExitCode code, const Error& error) {
  say(error.message());
  return code;
}

void Console::show_progress(double part, double audio_s) {
  const Clock::time_point now = Clock::now();
  if (!is_terminal_ || now - drawn_ < std::chrono::milliseconds(100)) return;
  const double elapsed_s = std::chrono::duration<double>(now - start_).count();
  const std::string line = progress_line({part, audio_s, elapsed_s}, columns() - 1);
  std::fputs(("\r" + line + "\x1b[K").c_str(), stderr);
  drawn_ = now;
  is_shown_ = true;
}

void Console::hide_progress() {
  if (is_shown_) std::fputs("\r\x1b[K", stderr);
  is_shown_ = false;
  drawn_ = {};
}

}  // namespace pantanal::infer
