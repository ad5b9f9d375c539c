// Console: what the user sees on standard error, messages and, on a terminal, a progress bar below them.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "exit_code.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::infer {

class Console {
 public:
  /// Lines begin with `program`.
  explicit Console(std::string program = "pantanal-infer");
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;
  ~Console() { hide_progress(); }

  /// A line of its own. Bytes that could steer a terminal are shown as '?'.
  void say(std::string_view message);

  /// Says what went wrong; returns `code`, to end with.
  ExitCode fail(ExitCode code, const Error& error);

  /// Draws the bar anew, at most ten times a second. `part` of the work is done, and `audio_s` of recordings.
  void show_progress(double part, double audio_s);

  /// Clears the bar: something else is about to be written to the terminal.
  void hide_progress();

 private:
  using Clock = std::chrono::steady_clock;

  const std::string program_;

  const bool is_terminal_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_;
  bool is_shown_ = false;
};

}  // namespace pantanal::infer
