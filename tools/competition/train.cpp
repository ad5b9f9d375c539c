#include "train.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "interruption.hpp"
#include "pantanal/competition/heads_file.hpp"
#include "pantanal/competition/heads_session.hpp"
#include "pantanal/competition/perch_cache.hpp"
#include "pantanal/competition/tables.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/core/requested_isa.hpp"
#include "pantanal/io/atomic_file.hpp"
#include "pantanal/perch/model_file.hpp"
#include "run_log.hpp"
#include "soundscape_decoder.hpp"
#include "training_run.hpp"

namespace pantanal::competition {
namespace {

Result<TrainedHeads> trained_heads(const TrainOptions& options, infer::Console& console) {
  // Before there are threads: a process with some cannot well be forked.
  SoundscapeDecoder decoder(options.decoding, console);
  TrainingRequest request{.data = options.data,
                          .decoder = decoder,
                          .cache = options.cache,
                          .configuration = options.configuration,
                          .with_studies = options.with_studies,
                          .threads = options.threads ? options.threads : hardware_threads()};
  request.should_stop = infer::interrupted;
  PANTANAL_TRY(const CompetitionTables tables, read_competition_tables(options.data));
  PANTANAL_TRY(perch::Model loaded, perch::load_model(options.perch, {.keep_narrow = true}));
  const auto model = std::make_shared<const perch::Model>(std::move(loaded));
  return run_training(request, tables, model, console);
}

/// Whether what a training makes can be put where it shall be, before hours go into it.
Status check_outputs(const TrainOptions& options) {
  PANTANAL_TRY_STATUS(AtomicFile::create(options.out));
  PANTANAL_TRY_STATUS(AtomicFile::create(options.logs));
  if (!options.cache || has_perch_cache(*options.cache)) return {};
  std::error_code code;
  std::filesystem::create_directories(*options.cache, code);
  PANTANAL_TRY_STATUS(AtomicFile::create(*options.cache / "full_perch_arrays.npz"));
  return {};
}

}  // namespace

infer::ExitCode train(const TrainOptions& options, infer::Console& console) {
  using infer::ExitCode;
  detail::StopWatch watch;
  if (Status status = check_requested_isa(); !status) return console.fail(ExitCode::usage, status.error());
  if (Status status = check_outputs(options); !status) return console.fail(ExitCode::output, status.error());
  const auto trained = trained_heads(options, console);
  if (!trained && infer::interrupted()) return ExitCode::interrupted;
  if (!trained) return console.fail(ExitCode::model, trained.error());
  if (Status status = save_heads(trained->bundle, options.out); !status)
    return console.fail(ExitCode::output, status.error());
  RunLog log;
  log.set("mode", options.with_studies ? "train" : "submit");
  log.set_training(*trained);
  log.set_seconds("total", watch.lap());
  if (Status status = log.write(options.logs); !status) return console.fail(ExitCode::output, status.error());
  console.say(options.out.string() + ": " + std::to_string(trained->bundle.probes.probes.size()) +
              " probes, " + (trained->bundle.residual ? "ProtoSSM and ResidualSSM" : "ProtoSSM"));
  return ExitCode::done;
}

}  // namespace pantanal::competition
