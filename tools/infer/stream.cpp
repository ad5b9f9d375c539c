#include "stream.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "interruption.hpp"
#include "memory_limit.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/core/requested_isa.hpp"
#include "pantanal/perch/model_file.hpp"
#include "pantanal/perch/session.hpp"
#include "pantanal/stream/detection_stream.hpp"
#include "pantanal/stream/perch_stream.hpp"
#include "pantanal/stream/soxr_converter.hpp"
#include "path_clashes.hpp"
#include "pcm_input.hpp"
#include "stream_events.hpp"

namespace pantanal::infer {
namespace {

/// A stream, what is heard in it and where that is told.
class Listener {
 public:
  Listener(stream::DetectionStream heard, StreamEvents events)
      : heard_(std::move(heard)), events_(std::move(events)) {}

  StreamEvents& events() { return events_; }
  std::uint64_t windows() const { return windows_; }

  /// Takes frames, those with samples that are no numbers as gaps.
  Status hear(std::span<const float> interleaved) {
    const std::size_t channels = stream().options().channels;
    const auto is_sound = [&](std::size_t frame) {
      return std::ranges::all_of(interleaved.subspan(frame * channels, channels), audio::is_sample);
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
    stream().finish();
    PANTANAL_TRY_STATUS(take_windows());
    PANTANAL_TRY_STATUS(tell_gap());
    PANTANAL_TRY_STATUS(events_.detections(heard_.last_detections()));
    const std::uint64_t frames = stream().frames();
    PANTANAL_TRY_STATUS(events_.end(seconds(frames), seconds(frames - lost_), windows_, reason));
    return events_.finish();
  }

 private:
  stream::PerchStream& stream() { return heard_.stream(); }

  double seconds(std::uint64_t frames) { return static_cast<double>(frames) / stream().options().rate; }

  Status push(std::span<const float> sound) {
    while (!sound.empty()) {
      PANTANAL_TRY(const std::size_t taken, stream().push(sound));
      sound = sound.subspan(taken * stream().options().channels);
      PANTANAL_TRY_STATUS(take_windows());
    }
    return {};
  }

  Status lose(std::uint64_t frames) {
    if (gap_.lost == 0) gap_.begin = stream().frames();
    gap_.lost += frames;
    gap_.end = stream().frames() + frames;
    lost_ += frames;
    PANTANAL_TRY_STATUS(stream().mark_gap(frames));
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
    const auto rate =
        static_cast<std::uint32_t>(stream().session().model().architecture.frontend.sample_rate);
    for (;;) {
      PANTANAL_TRY(const std::optional<stream::HeardWindow> heard, heard_.next());
      if (!heard) return {};
      ++windows_;
      PANTANAL_TRY_STATUS(tell_gap());
      PANTANAL_TRY_STATUS(events_.window(heard->window, rate));
      PANTANAL_TRY_STATUS(events_.detections(heard->detections));
    }
  }

  struct Gap {
    std::uint64_t begin = 0, end = 0, lost = 0;  ///< frames
  };

  stream::DetectionStream heard_;
  StreamEvents events_;
  std::uint64_t windows_ = 0, lost_ = 0;
  Gap gap_;  ///< not told yet
};

/// Whether the file that standard input is read from is the one at `path`.
bool is_standard_input(const std::filesystem::path& path) {
  struct stat input, output;
  return ::fstat(STDIN_FILENO, &input) == 0 && ::stat(path.c_str(), &output) == 0 && S_ISREG(input.st_mode) &&
         input.st_dev == output.st_dev && input.st_ino == output.st_ino;
}

/// Neither the model nor the sound may be replaced.
Status check_outputs(const StreamOptions& options) {
  if (options.input == "-" && options.out && is_standard_input(*options.out))
    return Error{ErrorCode::invalid_argument, "--out",
                 options.out->string() + ", which standard input is read from", "a file of its own"};
  std::vector<NamedPath> outputs, inputs = {{"--model", options.model}};
  if (options.input != "-") inputs.push_back({"--stream", options.input});
  if (options.out) outputs.push_back({"--out", *options.out});
  if (!options.packed_weights.empty()) outputs.push_back({"--packed-weights", options.packed_weights});
  return check_paths(outputs, inputs);
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

/// The error of a field by the name of the option that sets it.
Error by_option(Error error) {
  for (const auto& [field, option] : {std::pair("hop_s", "--hop"), std::pair("longest_s", "--longest"),
                                      std::pair("threshold", "--threshold")})
    if (error.where == field) error.where = option;
  return error;
}

}  // namespace

ExitCode stream_events(const StreamOptions& options, Console& console) {
  if (Status status = check_requested_isa(); !status) return console.fail(ExitCode::usage, status.error());
  if (Status status = check_outputs(options); !status) return console.fail(ExitCode::usage, status.error());
  const std::size_t most = 4 * hardware_threads();
  const std::size_t threads = options.threads == 0 ? hardware_threads() : std::min(options.threads, most);
  perch::LabelScreen screen = perch::LabelScreen::automatic;
  if (options.max_memory) {
    const auto fitting = check_memory(options.model, {threads, 1, options.precision}, *options.max_memory);
    if (!fitting)
      return console.fail(fitting.error().where == "--max-memory" ? ExitCode::memory : ExitCode::model,
                          fitting.error());
    screen = *fitting;
  }
  auto model = perch::load_model(options.model, {.keep_narrow = true});
  if (!model) return console.fail(ExitCode::model, model.error());
  if (model->architecture.label.classes == 0)
    return console.fail(ExitCode::usage, {ErrorCode::invalid_argument, options.model.string(),
                                          "a model without label head", "one with classes to detect"});
  auto session = perch::Session::create(std::make_shared<const perch::Model>(*std::move(model)),
                                        {.threads = threads,
                                         .batch = 1,
                                         .precision = options.precision,
                                         .screen = screen,
                                         .packed_weights = options.packed_weights});
  if (!session) return console.fail(ExitCode::model, session.error());
  report_packed_weights(*session, console);
  auto output = TextOutput::create(options.out);
  if (!output) return console.fail(ExitCode::output, output.error());
  auto input = PcmInput::open(options);
  if (!input)
    return interrupted() ? ExitCode::interrupted : console.fail(ExitCode::some_failed, input.error());
  const auto kept = session->model().labels;
  auto heard = stream::DetectionStream::create(*std::move(session),
                                               {.rate = input->rate(),
                                                .channels = input->channels(),
                                                .hop_s = options.hop_s,
                                                .normalize = options.normalize,
                                                .detections = {options.threshold, options.longest_s}},
                                               stream::SoxrConverter::create);
  if (!heard) return console.fail(ExitCode::usage, by_option(heard.error()));
  return run(options, *std::move(input),
             Listener(*std::move(heard), StreamEvents(*std::move(output), kept, options.top)), console);
}

}  // namespace pantanal::infer
