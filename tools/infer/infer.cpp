#include "infer.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "decoder_process.hpp"
#include "interruption.hpp"
#include "memory_limit.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/core/requested_isa.hpp"
#include "pantanal/perch/model_file.hpp"
#include "pantanal/perch/session.hpp"
#include "path_clashes.hpp"
#include "recording_loop.hpp"
#include "recordings.hpp"
#include "result_writer.hpp"
#include "start_decoders.hpp"
#include "window_feed.hpp"

namespace pantanal::infer {
namespace {

/// Outputs must not replace each other or what is read.
Status check_outputs(const Options& options, const RecordingList& list) {
  std::vector<NamedPath> outputs, inputs = {{"--model", options.model}};
  if (options.out) outputs.push_back({"--out", *options.out});
  if (options.embeddings) outputs.push_back({"--embeddings", *options.embeddings});
  if (!options.packed_weights.empty()) outputs.push_back({"--packed-weights", options.packed_weights});
  for (const Recording& recording : list.recordings) inputs.push_back({"a recording", recording.path});
  return check_paths(outputs, inputs);
}

Status check_labels(const Options& options, const perch::Model& model) {
  if (model.architecture.label.classes > 0 || (options.embeddings && !options.out)) return {};
  return Error{ErrorCode::invalid_argument, options.model.string(),
               "a model without label head, so without predictions for a CSV",
               "--embeddings NPZ, and no --out"};
}

/// The threads asked for; of more than a few for each of the CPU's, all do nothing but wait for each other.
std::size_t thread_count(const Options& options, Console& console) {
  constexpr std::size_t most_each = 4;
  const std::size_t hardware = hardware_threads(), most = most_each * hardware;
  if (options.threads == 0) return hardware;
  if (options.threads > most)
    console.say("--threads " + std::to_string(options.threads) + ": " + std::to_string(most) +
                " are used, since the CPU has " + std::to_string(hardware));
  return std::min(options.threads, most);
}

/// The batch asked for; otherwise 12 windows or a few more, so that every thread gets as many as the others.
std::size_t batch_size(const Options& options, std::size_t threads) {
  constexpr std::size_t usual = 12, most = 64;
  if (options.batch > 0) return options.batch;
  return std::clamp((usual + threads - 1) / threads * threads, usual, most);
}

/// Decoding and resampling take a fifth of the time or less.
std::size_t decoder_count(std::size_t threads, std::size_t recordings) {
  constexpr std::size_t threads_per_decoder = 4;
  return std::clamp<std::size_t>(threads / threads_per_decoder, 1, recordings);
}

FeedOptions feed_options(const Options& options, const perch::Session& session, std::size_t decoders,
                         std::span<DecoderProcess> processes) {
  const perch::Frontend& frontend = session.model().architecture.frontend;
  return {.decode = {.windows = {static_cast<std::uint32_t>(frontend.sample_rate), frontend.samples,
                                 options.soundfile_compat},
                     .normalize = options.normalize},
          .ahead = session.options().batch,
          .decoders = decoders,
          .processes = processes};
}

void report(const RecordingList& list, Console& console) {
  for (const Error& error : list.errors) console.say(error.message());
  for (const std::filesystem::path& path : list.repeated)
    console.say(path.string() + ": given more than once, done once");
}

}  // namespace

ExitCode infer(const Options& options, Console& console) {
  if (Status status = check_requested_isa(); !status) return console.fail(ExitCode::usage, status.error());
  const RecordingList list = find_recordings(options.inputs, options.recursive, options.packed_weights);
  report(list, console);
  if (Status status = check_outputs(options, list); !status)
    return console.fail(ExitCode::usage, status.error());
  if (list.recordings.empty()) return ExitCode::nothing_written;

  const std::size_t threads = thread_count(options, console), batch = batch_size(options, threads);
  perch::LabelScreen screen = perch::LabelScreen::automatic;
  if (options.max_memory) {
    const auto fitting =
        check_memory(options.model, {threads, batch, options.precision}, *options.max_memory);
    if (!fitting)
      return console.fail(fitting.error().where == "--max-memory" ? ExitCode::memory : ExitCode::model,
                          fitting.error());
    screen = *fitting;
  }
  // Before there are threads: a process with some cannot well be forked.
  const std::size_t decoders = decoder_count(threads, list.recordings.size());
  std::vector<DecoderProcess> processes;
  if (!options.in_process) processes = start_decoders(decoders, {}, decode_recording, console);
  auto model = perch::load_model(options.model, {.keep_narrow = true});
  if (!model) return console.fail(ExitCode::model, model.error());
  if (Status status = check_labels(options, *model); !status)
    return console.fail(ExitCode::usage, status.error());
  auto session = perch::Session::create(std::make_shared<const perch::Model>(*std::move(model)),
                                        {.threads = threads,
                                         .batch = batch,
                                         .precision = options.precision,
                                         .screen = screen,
                                         .packed_weights = options.packed_weights});
  if (!session) return console.fail(ExitCode::model, session.error());
  report_packed_weights(*session, console);
  auto writer = ResultWriter::create(options, session->model(), list.recordings);
  if (!writer) return console.fail(ExitCode::output, writer.error());

  RecordingLoop loop(list.recordings, *session, *writer, console);
  {
    WindowFeed feed(list.recordings, feed_options(options, *session, decoders, processes));
    if (const std::optional<ExitCode> code = loop.run(feed)) return *code;
  }
  if (!interrupted() && loop.windows_written() > 0)
    if (Status status = writer->finish(interrupted); !status && !interrupted())
      return writer->reader_is_gone() ? ExitCode::output : console.fail(ExitCode::output, status.error());
  if (interrupted()) return ExitCode::interrupted;
  if (loop.recordings_failed() > 0)
    console.say(std::to_string(loop.recordings_failed()) + " of " + std::to_string(list.recordings.size()) +
                " recordings could not be done, or not to their end");
  if (loop.windows_written() == 0) return ExitCode::nothing_written;
  return loop.recordings_failed() == 0 && list.errors.empty() ? ExitCode::done : ExitCode::some_failed;
}

}  // namespace pantanal::infer
