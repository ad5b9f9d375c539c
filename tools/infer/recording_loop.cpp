#include "recording_loop.hpp"

#include <cstdio>
#include <string>
#include <utility>
#include <variant>

#include "interruption.hpp"

namespace pantanal::infer {
namespace {

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%g s", seconds);
  return text;
}

/// Only what the writer takes is computed.
perch::OutputSizes wanted_sizes(const perch::Session& session, const ResultWriter& writer) {
  perch::OutputSizes sizes = session.output_sizes();
  if (!writer.wants_embedding()) sizes.embedding = 0;
  return sizes;
}

}  // namespace

RecordingLoop::RecordingLoop(std::span<const Recording> recordings, perch::Session& session,
                             ResultWriter& writer, Console& console)
    : recordings_(recordings),
      session_(session),
      writer_(writer),
      console_(console),
      batch_(session.options().batch, session.model().architecture.frontend.samples,
             wanted_sizes(session, writer)),
      has_failed_(recordings.size()) {
  for (const Recording& recording : recordings) total_bytes_ += static_cast<double>(recording.bytes);
  const perch::Frontend& frontend = session.model().architecture.frontend;
  window_s_ = static_cast<double>(frontend.samples) / static_cast<double>(frontend.sample_rate);
}

std::optional<ExitCode> RecordingLoop::run(WindowFeed& feed) {
  while (!interrupted()) {
    const std::optional<FeedItem> item = feed.next();
    const auto* const window = item ? std::get_if<FeedWindow>(&*item) : nullptr;
    if (window) batch_.add(*window);
    if (batch_.is_full() || !item)
      if (const std::optional<ExitCode> code = compute()) return code;
    if (!item) return std::nullopt;
    if (window)
      show_progress(window->recording, window->part);
    else
      end(std::get<FeedEnd>(*item));
  }
  return std::nullopt;
}

std::optional<ExitCode> RecordingLoop::compute() {
  if (Status status = batch_.run(session_); !status)
    return console_.fail(ExitCode::unexpected, status.error());
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    const WindowResult result = batch_.result(i);
    if (!batch_.is_finite(i)) {
      const std::string where = recordings_[result.recording].path.string();
      fail(result.recording,
           {ErrorCode::unsupported, where + ": from " + seconds_text(result.start_s),
            "a window for which the model gives no finite numbers", "audio of usual amplitude"},
           "left out, as are others like it");
      continue;
    }
    if (Status status = writer_.write(result); !status)
      return console_.fail(ExitCode::output, status.error());
    ++windows_written_;
  }
  batch_.clear();
  console_.hide_progress();
  if (Status status = writer_.flush(); !status && !interrupted())
    return writer_.reader_is_gone() ? ExitCode::output : console_.fail(ExitCode::output, status.error());
  return std::nullopt;
}

void RecordingLoop::end(const FeedEnd& end) {
  ended_bytes_ += static_cast<double>(recordings_[end.recording].bytes);
  if (end.status) return;
  fail(end.recording, end.status.error(),
       end.windows == 0 ? "left out"
                        : "only its first " + std::to_string(end.windows) +
                              (end.windows == 1 ? " window is done" : " windows are done"));
}

void RecordingLoop::fail(std::size_t recording, Error error, const std::string& consequence) {
  if (has_failed_[recording]) return;
  has_failed_[recording] = true;
  ++recordings_failed_;
  console_.say(error.message() + " (" + consequence + ")");
}

void RecordingLoop::show_progress(std::size_t recording, double part) {
  const double bytes = ended_bytes_ + part * static_cast<double>(recordings_[recording].bytes);
  console_.show_progress(total_bytes_ > 0 ? bytes / total_bytes_ : 0,
                         static_cast<double>(windows_written_) * window_s_);
}

}  // namespace pantanal::infer
