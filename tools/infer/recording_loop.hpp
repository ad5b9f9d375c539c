// RecordingLoop: takes windows from a feed, computes them in batches, writes the results.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "batch.hpp"
#include "console.hpp"
#include "exit_code.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/perch/session.hpp"
#include "recordings.hpp"
#include "result_writer.hpp"
#include "window_feed.hpp"

namespace pantanal::infer {

class RecordingLoop {
 public:
  /// All must outlive the loop.
  RecordingLoop(std::span<const Recording> recordings, perch::Session& session, ResultWriter& writer,
                Console& console);

  /// Until the feed is empty or the user interrupts. A recording that fails is reported and left behind.
  /// Returns a code if the run itself cannot go on.
  std::optional<ExitCode> run(WindowFeed& feed);

  std::size_t windows_written() const { return windows_written_; }
  std::size_t recordings_failed() const { return recordings_failed_; }

 private:
  std::optional<ExitCode> compute();
  void end(const FeedEnd& end);
  void fail(std::size_t recording, Error error, const std::string& consequence);
  void show_progress(std::size_t recording, double part);

  std::span<const Recording> recordings_;
  perch::Session& session_;
  ResultWriter& writer_;
  Console& console_;
  Batch batch_;
  std::vector<bool> has_failed_;
  std::size_t windows_written_ = 0, recordings_failed_ = 0;
  double total_bytes_ = 0, ended_bytes_ = 0, window_s_ = 0;
};

}  // namespace pantanal::infer
