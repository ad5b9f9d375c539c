#include "command_lines.hpp"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <sstream>
#include <utility>
#include <vector>

#include "arguments.hpp"
#include "competition_paths.hpp"
#include "configuration_option.hpp"
#include "duration.hpp"
#include "path_clashes.hpp"
#include "run_options.hpp"

namespace pantanal::competition {
namespace {

using infer::ExitCode;

constexpr const char* submit_description = R"(From a competition's folder to submission.csv, before the bell.

A complete submission of priors stands within seconds. Soundscapes take their rows' place
as they are done, on disk about every ten seconds; every version appears whole or not at
all. What time does not suffice for is given up in this order, and said: shifts (TTA),
ResidualSSM, ProtoSSM, and at last the soundscapes that are left, which keep their priors.)";

constexpr const char* submit_footer = R"(
DIR holds sample_submission.csv and test_soundscapes/*.ogg, 32 kHz; without any, the first
20 of train_soundscapes take their place. --train-from-cache also needs taxonomy.csv and
train_soundscapes_labels.csv, and soundscapes to train on if CACHE has no arrays yet.

OUT.journal holds what is finished; --resume goes on from there after a kill, repeats no
finished soundscape and leaves the same bytes. SIGTERM and SIGINT publish what there is.

PANTANAL_ISA=portable, avx2 or avx512 in the environment chooses the CPU's instructions; what
the CPU lacks is said and not obeyed, since another machine may score what yours submits.

Exit code:
  0  a complete submission is in place, whatever had to be left out (it is said and in the
     log); also after SIGTERM and SIGINT, and where recordings could not be read
  1  something unforeseen: out of memory, or a bug
  2  the command line makes no sense, or --resume meets another run's journal
  3  heads or model could not be loaded or trained; if the tables could be read, a submission
     of priors is in place
  5  the last version could not be written; an earlier one may be in place
  6  no soundscape was found
  7  the run would take more memory than --max-memory allows: Perch was not loaded; a
     submission of priors is in place if the heads alone would not take as much)";

constexpr const char* train_description =
    R"(Trains the heads of a competition's pipeline: priors, probes, ProtoSSM and ResidualSSM on Perch's outputs.)";

constexpr const char* train_footer = R"(
DIR holds sample_submission.csv, taxonomy.csv, train_soundscapes_labels.csv and
train_soundscapes. CACHE holds full_perch_arrays.npz and full_perch_meta.csv or .parquet: read
if they are there, else computed and written.

--mode train adds the out-of-fold studies: the ensemble's weight and the classes' thresholds
come from them. --config takes a preset (v5-run, v5-cfg, v5-card, recommended) or a JSON file,
whose key "preset" names what its other keys replace; --print-config shows all keys.

PANTANAL_ISA=portable, avx2 or avx512 in the environment chooses the CPU's instructions.

Exit code: 0 the heads are written; 1 something unforeseen; 2 the command line or the
configuration makes no sense; 3 the tables, the model or the cache cannot be used; 5 the heads
could not be written; 130 (SIGINT), 143 (SIGTERM) and the like: ended by a signal.)";

constexpr const char* rescore_description =
    R"(From Perch's outputs as a cache holds them to a submission: what `submit` computes after Perch.)";

constexpr const char* rescore_footer = R"(
CACHE holds full_perch_arrays.npz and full_perch_meta.csv or .parquet, of any soundscapes. With --steps
every step's result [windows, classes] is written too: prior, base, probes, proto,
first_pass, correction, final, sigmoid, file_level, rank_aware, delta_smooth, probabilities.

PANTANAL_ISA=portable, avx2 or avx512 in the environment chooses the CPU's instructions.

Exit code: 0 the submission is written; 1 something unforeseen; 2 the command line makes no
sense; 3 heads or cache cannot be used; 5 the output could not be written; 130 (SIGINT), 143
(SIGTERM) and the like: ended by a signal.)";

/// What both command lines have in common.
struct Text {
  std::string data, perch, heads, cache, logs, config = "v5-run", mode = "submit", budget;
  infer::RunText run;
  std::int64_t threads = 0;
  SoundscapeDecoder::Options decoding;
};

const CLI::Validator is_name([](const std::string& name) { return name.empty() ? "'' is no file name" : ""; },
                             "");

void declare_common(CLI::App& app, Text& text) {
  app.add_option("--data", text.data, "The competition's folder")
      ->required()
      ->option_text("DIR")
      ->check(is_name);
  app.add_option("--perch", text.perch, "Perch, as pantanal-convert writes it")
      ->required()
      ->option_text("M.safetensors")
      ->check(is_name);
  app.add_option("--config", text.config, "A preset or a JSON file (default v5-run)")
      ->option_text("NAME|FILE")
      ->check(is_name);
  app.add_option("--logs", text.logs, "What was done and found (default: logs.json beside the output)")
      ->option_text("FILE")
      ->check(is_name);
  app.add_option("--threads", text.threads, "Threads to compute with (default 0: as many as the CPU has)")
      ->option_text("N")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1024}));
  app.add_flag("--in-process", text.decoding.in_process,
               "Decode within the program instead of in a process of little memory and few rights");
  infer::declare_soundfile_compat(app, text.decoding.soundfile_compat);
}

/// Parses; nothing if that went well, else what to print.
template <class Options>
std::optional<ParsedLine<Options>> problem(CLI::App& app, int argc, const char* const* argv) {
  try {
    parse_strictly(app, argc, argv);
  } catch (const CLI::Success& success) {
    std::ostringstream out;
    app.exit(success, out, out);
    return ParsedLine<Options>{{}, ExitCode::done, out.str()};
  } catch (const CLI::ParseError& error) {
    return ParsedLine<Options>{
        {},
        ExitCode::usage,
        app.get_name() + ": " + error.what() + "\nRun with --help for more information.\n"};
  }
  return std::nullopt;
}

template <class Options>
ParsedLine<Options> refuse(const CLI::App& app, const std::string& message) {
  return {{}, ExitCode::usage, app.get_name() + ": " + message + "\n"};
}

std::filesystem::path logs_path(const Text& text, const std::filesystem::path& out) {
  return text.logs.empty() ? out.parent_path() / "logs.json" : std::filesystem::path(text.logs);
}

Status check(const SubmitOptions& o) {
  std::vector<NamedPath> inputs = competition_inputs(o.data);
  inputs.push_back({"--perch", o.perch});
  std::vector<NamedPath> outputs = {
      {"--out", o.out}, {"the journal", o.out.string() + ".journal"}, {"--logs", o.logs}};
  if (!o.packed_weights.empty()) outputs.push_back({"--packed-weights", o.packed_weights});
  (o.train_from_cache ? outputs : inputs).push_back({"--heads", o.heads});
  if (o.train_from_cache) add_cache_files(inputs, *o.train_from_cache);
  return infer::check_paths(outputs, inputs);
}

Status check(const TrainOptions& o) {
  std::vector<NamedPath> inputs = competition_inputs(o.data);
  inputs.push_back({"--perch", o.perch});
  if (o.cache) add_cache_files(inputs, *o.cache);
  return infer::check_paths({{"--out", o.out}, {"--logs", o.logs}}, inputs);
}

Status check(const RescoreOptions& o) {
  std::vector<NamedPath> inputs = {{"--heads", o.heads}}, outputs = {{"--out", o.out}};
  add_cache_files(inputs, o.cache);
  if (!o.steps.empty()) outputs.push_back({"--steps", o.steps});
  return infer::check_paths(outputs, inputs);
}

/// The options, unless an output would take an input's place.
template <class Options>
ParsedLine<Options> checked(const CLI::App& app, Options options) {
  if (Status status = check(options); !status) return refuse<Options>(app, status.error().message());
  return {std::move(options), ExitCode::done, {}};
}

}  // namespace

ParsedLine<SubmitOptions> parse_submit_line(int argc, const char* const* argv) {
  CLI::App app(submit_description, "pantanal-infer submit");
  app.footer(submit_footer);
  Text text;
  std::string out;
  SubmitOptions options;
  declare_common(app, text);
  app.add_option("--heads", text.heads, "The heads, as pantanal-train writes them")
      ->required()
      ->option_text("H.safetensors")
      ->check(is_name);
  app.add_option("-o,--out", out, "The submission")->required()->option_text("OUT.csv")->check(is_name);
  app.add_option("--time-budget", text.budget, "From start to end, such as 85m or 1h10m (default: no limit)")
      ->option_text("TIME");
  app.add_flag("--resume", options.resume, "Go on from OUT.csv.journal, if it is there");
  app.add_option("--train-from-cache", text.cache,
                 "Train the heads first, with the outputs of Perch in CACHE, and write them to H.safetensors")
      ->option_text("CACHE")
      ->check(is_name);
  infer::declare_run_options(app, text.run, "a run");
  if (auto ended = problem<SubmitOptions>(app, argc, argv)) return *std::move(ended);
  if (app.count("--time-budget") > 0 && !(options.budget_s = parse_duration(text.budget)))
    return refuse<SubmitOptions>(app, "--time-budget: '" + text.budget + "' is no time such as 85m");
  if (app.count("--config") > 0 && text.cache.empty())
    return refuse<SubmitOptions>(app, "--config: the heads have theirs; it is for --train-from-cache");
  if (app.count("--max-memory") > 0 && !text.cache.empty())
    return refuse<SubmitOptions>(app, "--max-memory: what a training takes is not known beforehand");
  auto configuration = find_configuration(text.config);
  if (!configuration) return refuse<SubmitOptions>(app, configuration.error().message());
  options.configuration = *std::move(configuration);
  options.data = text.data, options.perch = text.perch, options.heads = text.heads, options.out = out;
  options.logs = logs_path(text, options.out);
  if (!text.cache.empty()) options.train_from_cache = text.cache;
  options.threads = static_cast<std::size_t>(text.threads);
  options.decoding = text.decoding;
  options.max_memory = text.run.memory_limit(), options.precision = text.run.chosen_precision();
  options.packed_weights = text.run.packed_weights;
  return checked(app, std::move(options));
}

ParsedLine<RescoreOptions> parse_rescore_line(int argc, const char* const* argv) {
  CLI::App app(rescore_description, "pantanal-infer rescore");
  app.footer(rescore_footer);
  std::string cache, heads, out, steps;
  std::int64_t threads = 0;
  app.add_option("--cache", cache, "Perch's outputs")->required()->option_text("CACHE")->check(is_name);
  app.add_option("--heads", heads, "The heads, as pantanal-train writes them")
      ->required()
      ->option_text("H.safetensors")
      ->check(is_name);
  app.add_option("-o,--out", out, "The submission")->required()->option_text("OUT.csv")->check(is_name);
  app.add_option("--steps", steps, "Every step's result")->option_text("STEPS.npz")->check(is_name);
  app.add_option("--threads", threads, "Threads to compute with (default 0: as many as the CPU has)")
      ->option_text("N")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1024}));
  if (auto ended = problem<RescoreOptions>(app, argc, argv)) return *std::move(ended);
  return checked(app, RescoreOptions{cache, heads, out, steps, static_cast<std::size_t>(threads)});
}

ParsedLine<TrainOptions> parse_train_line(int argc, const char* const* argv) {
  CLI::App app(train_description, "pantanal-train");
  app.set_version_flag("--version", std::string("pantanal-train " PANTANAL_VERSION));
  app.footer(train_footer);
  Text text;
  std::string out;
  bool prints = false;
  declare_common(app, text);
  app.add_option("--cache", text.cache, "Perch's outputs of the training soundscapes")
      ->option_text("CACHE")
      ->check(is_name);
  app.add_option("-o,--out", out, "The heads")->required()->option_text("H.safetensors")->check(is_name);
  app.add_option("--mode", text.mode, "train: with out-of-fold studies; submit: without (default)")
      ->option_text("train|submit")
      ->check(CLI::IsMember({"train", "submit"}));
  app.add_flag("--print-config", prints, "Print the configuration, all keys, and end")
      ->trigger_on_parse()
      ->each([&](const std::string&) {
        for (const char* const name : {"--data", "--perch", "--out"}) app.get_option(name)->required(false);
      });
  if (auto ended = problem<TrainOptions>(app, argc, argv)) return *std::move(ended);
  auto configuration = find_configuration(text.config);
  if (!configuration) return refuse<TrainOptions>(app, configuration.error().message());
  if (prints) return {{}, ExitCode::done, configuration_text(*configuration)};
  TrainOptions options;
  options.data = text.data, options.perch = text.perch, options.out = out;
  options.logs = logs_path(text, options.out);
  if (!text.cache.empty()) options.cache = text.cache;
  options.with_studies = text.mode == "train";
  options.configuration = *std::move(configuration);
  options.threads = static_cast<std::size_t>(text.threads);
  options.decoding = text.decoding;
  return checked(app, std::move(options));
}

}  // namespace pantanal::competition
