#include "command_line.hpp"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <sstream>
#include <utility>
#include <vector>

#include "arguments.hpp"
#include "name_check.hpp"
#include "run_options.hpp"

namespace pantanal::infer {
namespace {

constexpr const char* description = R"(Perch embeddings and class scores of recordings, window by window.

A FOLDER stands for the recordings in it, sorted by name: files called .wav, .ogg, .flac or
.mp3, and those of other audio formats, which are then reported as such. Its hidden files and
whatever is no audio are left out. Nothing is done twice: a name given again is ignored.

`pantanal-infer submit` makes a competition's submission, `pantanal-infer rescore` one of cached
outputs, `pantanal-infer --stream -` listens to sound as it comes: see their --help. (Recordings
of those names are ./submit and ./rescore.))";

constexpr const char* footer = R"(
CSV: file,start_s,end_s,rank,label,logit,softmax; softmax is over all classes of the
model. Windows follow each other without overlap; the last one of a recording is filled
up with zeros, so its end_s may lie beyond the recording's.

NPZ: embedding [n, channels] and label [n, classes], the logits, as float32; file [n];
start_s [n]. File names that are not UTF-8 read as Python's os.fsdecode reads them.

A recording that cannot be read is reported and left out; of one that breaks off, the
whole windows before the damage are written. All others are done in any case: recordings
are decoded in processes of their own, and one on which a decoder crashes, hangs or asks for
more than 512 MiB costs no other. OUT and
NPZ appear under their names complete, or not at all; if OUT is a device or a pipe, such
as /dev/stdout, rows are written to it as they come.

PANTANAL_ISA=portable, avx2 or avx512 in the environment chooses the CPU's instructions; by
default they are the widest it has.

Exit code:
  0  every recording was done
  1  something unforeseen: out of memory, or a bug
  2  the command line makes no sense
  3  the model could not be loaded
  4  some recordings could not be read, or not to their end; the rest was written
  5  an output could not be written; without a message if it is a pipe whose reader, such
     as head, has read enough
  6  nothing was written: no recording was found, or none could be read
  7  the run would take more memory than --max-memory allows; nothing was loaded
SIGINT, SIGTERM, SIGHUP and SIGQUIT end the run, then the program by that signal (a shell says 130, 143, 129
or 131): neither OUT nor NPZ appears, rows that went to a pipe or device stay written. A second one waits
for nothing.)";

/// Paths are kept as the bytes given, not converted.
struct Text {
  std::vector<std::string> inputs;
  std::string model, out, embeddings, normalize = "none";
  RunText run;
};

std::string normalization_problem(const std::string& name) {
  return name == "none" || name == "peak" ? "" : "'" + name + "' is neither none nor peak";
}

void declare(CLI::App& app, Text& text, Options& options, std::int64_t& threads, std::int64_t& batch,
             std::int64_t& top) {
  const CLI::Validator is_name(name_problem, ""), is_normalization(normalization_problem, "");
  app.add_option("recordings", text.inputs, "Recordings (WAV, Ogg Vorbis, FLAC, MP3) or folders of them")
      ->required()
      ->option_text("FILE|FOLDER...")
      ->check(is_name);
  app.add_option("-m,--model", text.model, "The model, as pantanal-convert writes it")
      ->required()
      ->option_text("MODEL.safetensors")
      ->check(is_name);
  app.add_option("-o,--out", text.out, "Write the CSV here instead of to standard output")
      ->option_text("OUT.csv")
      ->check(is_name);
  app.add_option("-e,--embeddings", text.embeddings, "Also write embeddings and logits of every window")
      ->option_text("NPZ")
      ->check(is_name);
  app.add_option("--top", top, "Classes per window in the CSV, the likeliest first (default 5)")
      ->option_text("N")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 20));
  app.add_option("--normalize", text.normalize,
                 "peak: remove each window's mean and scale its peak to 0.25; none: take samples as they are "
                 "(default)")
      ->option_text("none|peak")
      ->check(is_normalization);
  app.add_option(
         "--threads", threads,
         "Threads to compute with, up to four times as many as the CPU has (default 0: as many as it has)")
      ->option_text("N")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1024}));
  app.add_option("--batch", batch, "Windows computed together, 1 to 64 (default 0: chosen by the threads)")
      ->option_text("N")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{64}));
  app.add_flag("--in-process", options.in_process,
               "Decode within the program instead of in processes of little memory and few rights");
  declare_soundfile_compat(app, options.soundfile_compat);
  declare_run_options(app, text.run, "a run");
  app.add_flag("-r,--recursive", options.recursive, "Look into folders within folders, too");
}

CommandLine fail(const std::string& message) {
  return {{}, ExitCode::usage, "pantanal-infer: " + message + "\nRun with --help for more information.\n"};
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv) {
  CLI::App app(description, "pantanal-infer");
  app.set_version_flag("--version", std::string("pantanal-infer " PANTANAL_VERSION));
  app.footer(footer);
  Text text;
  Options options;
  std::int64_t threads = 0, batch = 0, top = 5;
  declare(app, text, options, threads, batch, top);
  try {
    parse_strictly(app, argc, argv);
  } catch (const CLI::Success& success) {  // --help or --version
    std::ostringstream out;
    app.exit(success, out, out);
    return {{}, ExitCode::done, out.str()};
  } catch (const CLI::ParseError& error) {
    return fail(error.what());
  }
  options.inputs.assign(text.inputs.begin(), text.inputs.end());
  options.model = text.model;
  if (app.count("--out") > 0) options.out = text.out;
  if (app.count("--embeddings") > 0) options.embeddings = text.embeddings;
  options.normalize = text.normalize == "peak" ? audio::Normalize::peak : audio::Normalize::none;
  options.max_memory = text.run.memory_limit();
  options.precision = text.run.chosen_precision();
  options.packed_weights = text.run.packed_weights;
  options.threads = static_cast<std::size_t>(threads);
  options.batch = static_cast<std::size_t>(batch);
  options.top = static_cast<std::size_t>(top);
  return {std::move(options), ExitCode::done, {}};
}

}  // namespace pantanal::infer
