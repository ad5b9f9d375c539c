#include "submit.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "bell.hpp"
#include "interruption.hpp"
#include "pantanal/competition/heads_file.hpp"
#include "pantanal/competition/heads_session.hpp"
#include "pantanal/competition/journal.hpp"
#include "pantanal/competition/soundscape.hpp"
#include "pantanal/competition/tables.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/core/requested_isa.hpp"
#include "pantanal/core/utf8.hpp"
#include "pantanal/perch/model_file.hpp"
#include "pantanal/pipeline/submission.hpp"
#include "run_log.hpp"
#include "run_options.hpp"
#include "submission_board.hpp"
#include "submission_memory.hpp"
#include "submission_run.hpp"
#include "training_run.hpp"

namespace pantanal::competition {
namespace {

using infer::ExitCode;

constexpr std::size_t perch_batch = pipeline::n_windows_per_file;

/// What the rows of a soundscape hold before anything is known of it but its name.
struct Priors {
  std::vector<std::string> classes;
  pipeline::PriorTables tables;
  std::vector<bool> texture;
  std::vector<float> thresholds;
  Configuration configuration;
};

Priors priors_of(const HeadsBundle& bundle) {
  return {bundle.classes, bundle.priors, bundle.texture, bundle.thresholds, bundle.configuration};
}

Result<Priors> priors_of(const CompetitionTables& tables, const Configuration& configuration) {
  PANTANAL_TRY(pipeline::PriorTables priors, tables.fit_priors());
  return Priors{tables.classes, std::move(priors), tables.texture,
                std::vector<float>(tables.classes.size(), 0.5f), configuration};
}

/// One call of submit().
class Submit {
 public:
  Submit(const SubmitOptions& options, infer::Console& console)
      : options_(options),
        console_(console),
        bell_(Bell::Clock::now(), options.budget_s),
        threads_(options.threads ? options.threads : hardware_threads()),
        decoder_(options.decoding, console) {}

  ExitCode run() {
    const ExitCode code = work();
    log_.set_seconds("total", bell_.elapsed());
    if (infer::interrupted()) log_.add("decisions", "ended by a signal");
    if (Status status = log_.write(options_.logs); !status) console_.say(status.error().message());
    return code;
  }

 private:
  ExitCode work() {
    // The notebook that was written on one machine is scored on another: no reason to have no submission.
    if (Status status = check_requested_isa(); !status) note(status.error().message() + ": not obeyed");
    if (options_.max_memory) {
      const Status status = check_heads_memory(options_.heads, *options_.max_memory);
      if (!status) return console_.fail(ExitCode::memory, status.error());
    }
    if (Status status = publish_priors(); !status) return console_.fail(status_code_, status.error());
    if (is_over()) return end();
    if (Status status = check_memory(); !status) return stop(status.error(), ExitCode::memory);
    if (Status status = prepare(); !status) return stop(status.error());
    SubmissionRun run(set_.paths, decoder_, *board_, bell_, log_, console_);
    std::optional<Journal> journal;
    if (Status status = open_journal(run, journal); !status)
      return console_.fail(ExitCode::usage, status.error());
    const double before = bell_.elapsed();
    const Status status = run.run(*perch_, mapping_, *heads_, journal ? &*journal : nullptr);
    log_.set_seconds("soundscapes", bell_.elapsed() - before);
    totals_ = run.totals();
    if (!status) return stop(status.error());
    return end();
  }

  bool is_over() const { return infer::interrupted() || bell_.has_rung(); }

  /// Reads what priors need, and puts a submission of them in place.
  Status publish_priors() {
    status_code_ = ExitCode::model;
    PANTANAL_TRY(const Priors priors, find_priors());
    status_code_ = ExitCode::nothing_written;
    PANTANAL_TRY(set_, find_test_set(options_.data, priors.configuration.dryrun_n_files));
    if (!set_.left_out.empty())
      note(std::to_string(set_.left_out.size()) +
           " recordings in test_soundscapes are not called .ogg and left out: " +
           detail::some_of(set_.left_out));
    if (set_.is_dry_run)
      note("no test soundscapes: a dry run on the first " + std::to_string(set_.paths.size()) +
           " training soundscapes");
    status_code_ = ExitCode::output;
    board_.emplace(options_.out, priors.classes);
    std::size_t nameless = 0;
    std::vector<std::string> row_ids, not_utf8;
    for (const std::filesystem::path& path : set_.paths) {
      const std::vector<pipeline::WindowMeta> meta = pipeline::soundscape_windows(path);
      if (!meta[0].place.site) ++nameless;
      if (find_not_utf8(path.filename().native()) != std::string_view::npos)
        not_utf8.push_back(escape_not_utf8(path.filename().native()));
      for (const pipeline::WindowMeta& window : meta) row_ids.push_back(window.row_id);
      const std::vector<pipeline::SiteHour> places = detail::places_of(meta);
      PANTANAL_TRY(const pipeline::Scores rows, prior_probabilities(places, priors.tables, priors.texture,
                                                                    priors.thresholds, priors.configuration));
      PANTANAL_TRY_STATUS(board_->add(meta, rows));
    }
    if (!not_utf8.empty())
      note(std::to_string(not_utf8.size()) +
           " soundscapes have names that are no UTF-8, written as here in row_id: " +
           detail::some_of(not_utf8));
    if (nameless > 0)
      note(std::to_string(nameless) + " of " + std::to_string(set_.paths.size()) +
           " soundscapes have names that tell no site and hour: they have the same prior");
    note_missing_rows(row_ids);
    log_.set("soundscapes", static_cast<double>(set_.paths.size()));
    keeps_earlier_ =
        options_.resume && pipeline::validate_submission(options_.out, priors.classes, row_ids).ok();
    if (keeps_earlier_) {
      note("the submission that stands is kept until there is more");
      return {};
    }
    const double before = bell_.elapsed();
    PANTANAL_TRY_STATUS(board_->publish());
    bell_.reserve(2 * (bell_.elapsed() - before) + 0.05);
    note("a submission of priors stands after " + std::to_string(bell_.elapsed()).substr(0, 5) + " s");
    return {};
  }

  /// Of the heads, or of the tables if the heads are to be trained first or cannot be read.
  Result<Priors> find_priors() {
    std::error_code code;
    const bool trains =
        options_.train_from_cache && !(options_.resume && std::filesystem::exists(options_.heads, code));
    if (!trains) {
      auto loaded = load_heads(options_.heads);
      if (!loaded) {
        heads_problem_ = loaded.error();
      } else if (Status status = check_classes(loaded->classes); !status) {
        heads_problem_ = status.error();
      } else {
        bundle_ = std::make_shared<const HeadsBundle>(*std::move(loaded));
        return priors_of(*bundle_);
      }
    }
    auto tables = read_competition_tables(options_.data);
    if (!tables && heads_problem_) return *heads_problem_;
    if (!tables) return tables.error();
    tables_ = *std::move(tables);
    return priors_of(*tables_, options_.configuration);
  }

  /// Says which rows sample_submission.csv has that belong to no test soundscape, if there are any.
  void note_missing_rows(const std::vector<std::string>& row_ids) {
    if (set_.is_dry_run) return;
    const auto sample = pipeline::read_sample_submission(options_.data / "sample_submission.csv");
    if (!sample) return;
    const std::set<std::string_view> made(row_ids.begin(), row_ids.end());
    std::vector<std::string> missing;
    for (const std::string& row_id : sample->row_ids)
      if (!made.contains(row_id)) missing.push_back(row_id);
    if (!missing.empty())
      note(std::to_string(missing.size()) +
           " rows of sample_submission.csv are of no soundscape in test_soundscapes and left out: " +
           detail::some_of(missing));
  }

  /// The heads' classes must be those that are asked for, if that is known.
  Status check_classes(const std::vector<std::string>& classes) const {
    const std::filesystem::path path = options_.data / "sample_submission.csv";
    std::error_code code;
    if (!std::filesystem::exists(path, code)) return {};
    PANTANAL_TRY(const pipeline::SampleSubmission sample, pipeline::read_sample_submission(path));
    if (sample.classes == classes) return {};
    return Error{ErrorCode::mismatch, options_.heads.string(),
                 std::to_string(classes.size()) + " classes that are not those of " + path.string(),
                 "heads trained for this competition"};
  }

  /// Whether --max-memory is kept, as far as heads and Perch can be read at all.
  Status check_memory() {
    std::error_code code;
    const auto heads_bytes = std::filesystem::file_size(options_.heads, code);
    if (!options_.max_memory || !bundle_ || code) return {};
    const infer::RunSize run =
        submission_size(*bundle_, heads_bytes, set_.paths.size(),
                        {.threads = threads_, .batch = perch_batch, .precision = options_.precision});
    const auto fitting = infer::check_memory(options_.perch, run, *options_.max_memory);
    if (fitting) screen_ = *fitting;
    return fitting || fitting.error().where != "--max-memory" ? Status() : Status(fitting.error());
  }

  /// Models, trained if need be.
  Status prepare() {
    if (heads_problem_) return *heads_problem_;
    const double before = bell_.elapsed();
    PANTANAL_TRY(perch::Model loaded, perch::load_model(options_.perch, {.keep_narrow = true}));
    const auto model = std::make_shared<const perch::Model>(std::move(loaded));
    log_.set_seconds("load", bell_.elapsed() - before);
    if (!bundle_) PANTANAL_TRY_STATUS(train(model));
    log_.set_configuration(bundle_->configuration);
    if (bundle_->perch_labels_crc != labels_crc(model->labels) ||
        bundle_->mapping.n_labels != model->labels.size())
      return Error{ErrorCode::mismatch, options_.perch.string(),
                   "a model with other labels than the heads were trained with", "the same"};
    if (bundle_->proto_config.d_input != model->architecture.head.channels)
      return Error{ErrorCode::mismatch, options_.perch.string(),
                   "embeddings of " + std::to_string(model->architecture.head.channels),
                   std::to_string(bundle_->proto_config.d_input) + ", as the heads have been trained with"};
    PANTANAL_TRY(MappedPerch mapped, keep_mapped_labels(model, bundle_->mapping));
    mapping_ = std::move(mapped.mapping);
    PANTANAL_TRY(perch::Session session, perch::Session::create(std::move(mapped.model),
                                                                {.threads = threads_,
                                                                 .batch = perch_batch,
                                                                 .precision = options_.precision,
                                                                 .screen = screen_,
                                                                 .packed_weights = options_.packed_weights}));
    infer::report_packed_weights(session, console_);
    PANTANAL_TRY_STATUS(check_competition_model(session));
    perch_.emplace(std::move(session));
    PANTANAL_TRY(HeadsSession heads, HeadsSession::create(bundle_, threads_));
    heads_.emplace(std::move(heads));
    return {};
  }

  Status train(const std::shared_ptr<const perch::Model>& model) {
    if (!tables_) {
      PANTANAL_TRY(tables_, read_competition_tables(options_.data));
    }
    TrainingRequest request{.data = options_.data,
                            .decoder = decoder_,
                            .cache = options_.train_from_cache,
                            .configuration = options_.configuration,
                            .threads = threads_,
                            .start = bell_.start()};
    request.should_stop = [this] { return is_over(); };
    PANTANAL_TRY(TrainedHeads trained, run_training(request, *tables_, model, console_));
    log_.set_training(trained);
    PANTANAL_TRY_STATUS(save_heads(trained.bundle, options_.heads));
    bundle_ = std::make_shared<const HeadsBundle>(std::move(trained.bundle));
    return {};
  }

  /// Names the run: the models' checksums, the precision and the decoding, which rows depend on.
  Result<std::string> run_name() const {
    PANTANAL_TRY(const SafetensorsFile perch, SafetensorsFile::open(options_.perch));
    PANTANAL_TRY(const SafetensorsFile heads, SafetensorsFile::open(options_.heads));
    std::string name;
    for (const SafetensorsFile* const file : {&perch, &heads}) {
      const auto checksum = file->metadata().find("checksum");
      name += checksum == file->metadata().end() ? "?" : checksum->second;
      name += '\n';
    }
    if (options_.precision == perch::Precision::bf16) name += "bf16\n";
    if (options_.precision == perch::Precision::int8) name += "int8\n";
    if (options_.decoding.soundfile_compat) name += "soundfile\n";
    return name;
  }

  Status open_journal(SubmissionRun& run, std::optional<Journal>& journal) {
    const std::filesystem::path path = options_.out.string() + ".journal";
    PANTANAL_TRY(const std::string name, run_name());
    if (!options_.resume) {
      auto created = Journal::create(path, name);
      if (created) journal.emplace(*std::move(created));
      if (!created) console_.say(created.error().message() + " (the run goes on, but could not be resumed)");
      return {};
    }
    PANTANAL_TRY(Journal::Opened opened, Journal::resume(path, name));
    PANTANAL_TRY_STATUS(run.take(opened.entries));
    note("resumed: " + std::to_string(run.totals().resumed) + " of " + std::to_string(set_.paths.size()) +
         " soundscapes were done before");
    journal.emplace(std::move(opened.journal));
    return board_->publish();  // priors stand in for what was there before; not for long
  }

  /// The last publication, and what there is to say.
  ExitCode end() {
    // What an earlier run left is better than priors alone.
    const bool publishes = totals_ || !keeps_earlier_;
    if (Status status = publishes ? board_->publish() : Status(); !status) {
      console_.say("an earlier submission stands, complete but without the latest soundscapes");
      return console_.fail(ExitCode::output, status.error());
    }
    const RunTotals totals = totals_.value_or(RunTotals{.left_to_priors = set_.paths.size()});
    for (const auto& [stage, seconds] : totals.seconds) log_.set_seconds(stage, seconds);
    log_.set("done", static_cast<double>(totals.done));
    log_.set("resumed", static_cast<double>(totals.resumed));
    log_.set("failed", static_cast<double>(totals.failed));
    log_.set("left_to_priors", static_cast<double>(totals.left_to_priors));
    if (infer::interrupted()) console_.say("ended by a signal");
    if (totals.failed > 0)
      console_.say(std::to_string(totals.failed) + " of " + std::to_string(set_.paths.size()) +
                   " soundscapes could not be read: their rows hold priors (named above and in " +
                   options_.logs.string() + ")");
    if (totals.left_to_priors > 0)
      console_.say("there was no time for " + std::to_string(totals.left_to_priors) + " of " +
                   std::to_string(set_.paths.size()) + " soundscapes: their rows hold priors");
    console_.say(options_.out.string() + ": " + std::to_string(set_.paths.size()) + " soundscapes, " +
                 std::to_string(bell_.elapsed()).substr(0, 6) + " s");
    return ExitCode::done;
  }

  /// Nothing more can be done: an end in good order if time or a signal is the reason, else a failure.
  ExitCode stop(const Error& error, ExitCode code = ExitCode::model) {
    if (is_over()) return end();
    console_.say(keeps_earlier_ ? "the submission is what it was" : "the submission holds priors only");
    return console_.fail(code, error);
  }

  void note(const std::string& text) {
    console_.say(text);
    log_.add("notes", text);
  }

  const SubmitOptions& options_;
  infer::Console& console_;
  Bell bell_;
  RunLog log_;
  std::size_t threads_;
  perch::LabelScreen screen_ = perch::LabelScreen::automatic;
  SoundscapeDecoder decoder_;  ///< started before there are threads
  TestSet set_;
  ExitCode status_code_ = ExitCode::model;
  std::optional<Error> heads_problem_;
  bool keeps_earlier_ = false;  ///< resumed, and a complete submission is there
  std::optional<CompetitionTables> tables_;
  std::shared_ptr<const HeadsBundle> bundle_;
  std::optional<SubmissionBoard> board_;
  pipeline::PerchMapping mapping_;  ///< of the labels that perch_ has
  std::optional<perch::Session> perch_;
  std::optional<HeadsSession> heads_;
  std::optional<RunTotals> totals_;  ///< none: no soundscape was begun
};

}  // namespace

ExitCode submit(const SubmitOptions& options, infer::Console& console) {
  return Submit(options, console).run();
}

}  // namespace pantanal::competition
