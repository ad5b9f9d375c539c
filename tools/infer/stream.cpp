#include "stream.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "interruption.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/core/requested_isa.hpp"
#include "pantanal/perch/model_file.hpp"
#include "pantanal/perch/session.hpp"
#include "pantanal/stream/detection_tracker.hpp"
#include "pantanal/stream/perch_stream.hpp"
#include "pantanal/stream/soxr_converter.hpp"
#include "pcm_input.hpp"
#include "stream_events.hpp"

namespace pantanal::infer {
namespace {

/// A stream, what is heard in it and where that is told.
class Listener {
 public:
  Listener(stream::PerchStream stream, stream::DetectionTracker tracker, StreamEvents events)
      : stream_(std::move(stream)), tracker_(std::move(tracker)), events_(std::move(events)) {}

  StreamEvents& events() { return events_; }
  std::uint64_t windows() const { return windows_; }

  /// Takes frames, those with samples that are no numbers as gaps.
  Status hear(std::span<const float> interleaved) {
    const std::size_t channels = stream_.options().channels;
    const auto is_sound = [&](std::size_t frame) {
      return std::ranges::all_of(interleaved.subspan(frame * channels, channels),
                                 [](float x) { return std::fabs(x) <= audio::largest_sample; });
    };
    for (std::size_t begin = 0, end = 0; begin < interleaved.size() / channels; begin = end) {
      const bool sound = is_sound(begin);
      for (end = begin + 1; end < interleaved.size() / channels && is_sound(end) == sound;) ++end;
      PANTANAL_TRY_STATUS(sound ? push(interleaved.subspan(begin * channels, (end - begin) * channels))
                                : lose(end - begin));
    }
    return {};
  }

  Status finish(std::string_view reason) {
    stream_.finish();
    PANTANAL_TRY_STATUS(take_windows());
    PANTANAL_TRY_STATUS(tell_gap());
    PANTANAL_TRY_STATUS(events_.detections(tracker_.interrupt()));
    PANTANAL_TRY_STATUS(
        events_.end(seconds(stream_.frames()), seconds(stream_.frames() - lost_), windows_, reason));
    return events_.finish();
  }

 private:
  double seconds(std::uint64_t frames) const { return static_cast<double>(frames) / stream_.options().rate; }

  Status push(std::span<const float> sound) {
    while (!sound.empty()) {
      PANTANAL_TRY(const std::size_t taken, stream_.push(sound));
      sound = sound.subspan(taken * stream_.options().channels);
      PANTANAL_TRY_STATUS(take_windows());
    }
    return {};
  }

  Status lose(std::uint64_t frames) {
    if (gap_.lost == 0) gap_.begin = stream_.frames();
    gap_.lost += frames;
    gap_.end = stream_.frames() + frames;
    lost_ += frames;
    PANTANAL_TRY_STATUS(stream_.mark_gap(frames));
    return take_windows();
  }

  /// Tells what was lost since it was told last.
  Status tell_gap() {
    if (gap_.lost == 0) return {};
    const Gap gap = std::exchange(gap_, {});
    return events_.gap(seconds(gap.begin), seconds(gap.end), seconds(gap.lost),
                       "samples that are no numbers");
  }

  Status take_windows() {
    const auto rate = static_cast<std::uint32_t>(stream_.session().model().architecture.frontend.sample_rate);
    for (;;) {
      PANTANAL_TRY(const std::optional<stream::StreamWindow> window, stream_.next());
      if (!window) return {};
      ++windows_;
      PANTANAL_TRY_STATUS(tell_gap());
      PANTANAL_TRY_STATUS(events_.window(*window, rate));
      PANTANAL_TRY_STATUS(events_.detections(
          window->label.empty() ? tracker_.interrupt()
                                : tracker_.update(window->label, window->start_s, window->end_s)));
    }
  }

  struct Gap {
    std::uint64_t begin = 0, end = 0, lost = 0;  ///< frames
  };

  stream::PerchStream stream_;
  stream::DetectionTracker tracker_;
  StreamEvents events_;
  std::uint64_t windows_ = 0, lost_ = 0;
  Gap gap_;  ///< not told yet
};

Result<stream::PerchStream> create_stream(const StreamOptions& options, const PcmInput& input,
                                          perch::Session session) {
  const perch::Frontend& frontend = session.model().architecture.frontend;
  std::unique_ptr<stream::RateConverter> converter;
  if (input.rate() != frontend.sample_rate) {
    PANTANAL_TRY(converter, stream::SoxrConverter::create(input.rate(),
                                                          static_cast<std::uint32_t>(frontend.sample_rate)));
  }
  const auto hop = static_cast<std::size_t>(
      std::llround(std::min(options.hop_s, 1e9) * static_cast<double>(frontend.sample_rate)));
  if (options.hop_s > 0 && hop == 0)
    return Error{ErrorCode::invalid_argument, "--hop", "less than a sample", "one sample or more"};
  return stream::PerchStream::create(
      std::move(session), {input.rate(), input.channels(), hop, options.normalize}, std::move(converter));
}

/// Reads to the end; why it ended is in `error`, if not well.
Status listen(PcmInput& input, Listener& listener, std::optional<Error>& error) {
  for (;;) {
    auto sound = input.read();
    if (!sound) error = sound.error();
    if (!sound || sound->empty()) return {};
    PANTANAL_TRY_STATUS(listener.hear(*sound));
  }
}

ExitCode run(const StreamOptions& options, PcmInput input, Listener listener, Console& console) {
  std::optional<Error> broken;
  Status status = listen(input, listener, broken);
  if (broken) console.say(broken->message());
  if (status)
    status = listener.finish(interrupted() ? "a signal"
                             : broken      ? broken->message()
                                           : "the end of the input");
  if (!status)
    return listener.events().reader_is_gone() ? ExitCode::output
                                              : console.fail(ExitCode::output, status.error());
  if (interrupted()) return ExitCode::interrupted;
  if (broken) return ExitCode::some_failed;
  if (listener.windows() > 0) return ExitCode::done;
  console.say(options.input.string() + ": no sample");
  return ExitCode::nothing_written;
}

}  // namespace

ExitCode stream_events(const StreamOptions& options, Console& console) {
  if (Status status = check_requested_isa(); !status) return console.fail(ExitCode::usage, status.error());
  auto model = perch::load_model(options.model);
  if (!model) return console.fail(ExitCode::model, model.error());
  if (model->architecture.label.classes == 0)
    return console.fail(ExitCode::usage, {ErrorCode::invalid_argument, options.model.string(),
                                          "a model without label head", "one with classes to detect"});
  auto session =
      perch::Session::create(std::make_shared<const perch::Model>(*std::move(model)),
                             {.threads = std::min(options.threads, 4 * hardware_threads()), .batch = 1});
  if (!session) return console.fail(ExitCode::model, session.error());
  auto output = TextOutput::create(options.out);
  if (!output) return console.fail(ExitCode::output, output.error());
  auto input = PcmInput::open(options);
  if (!input)
    return interrupted() ? ExitCode::interrupted : console.fail(ExitCode::some_failed, input.error());
  const auto kept = session->model().labels;
  stream::DetectionTracker tracker(kept.size(), {options.threshold, options.longest_s});
  auto stream = create_stream(options, *input, *std::move(session));
  if (!stream) return console.fail(ExitCode::usage, stream.error());
  return run(
      options, *std::move(input),
      Listener(*std::move(stream), std::move(tracker), StreamEvents(*std::move(output), kept, options.top)),
      console);
}

}  // namespace pantanal::infer
