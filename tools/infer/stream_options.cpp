#include "stream_options.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <map>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "arguments.hpp"
#include "name_check.hpp"
#include "pantanal/audio/source.hpp"
#include "run_options.hpp"

namespace pantanal::infer {
namespace {

constexpr const char* stream_description = R"(Perch on sound as it comes in.

SOURCE is - for standard input, or a pipe, device or file of raw samples or WAV:
  arecord -q -t raw -f S16_LE -r 48000 | pantanal-infer --stream - --rate 48000 -m MODEL.safetensors)";

constexpr const char* stream_footer = R"(
Events are JSON, one a line, as soon as they are certain; seconds count from the first sample:
  {"event":"window","index":0,"start_s":0.0,"end_s":5.0,"recorded_s":5.0,"top":[{"label":"x","logit":1.5}]}
  {"event":"detection","label":"x","start_s":0.0,"end_s":10.0,"peak_s":5.0,"peak_logit":2.5,"windows":2}
  {"event":"gap","start_s":12.5,"end_s":12.6,"lost_s":0.05,"reason":"..."}
  {"event":"end","duration_s":3600.0,"recorded_s":3599.9,"windows":720,"reason":"the end of the input"}
A detection joins windows that follow each other and ends with the first one below the threshold. Samples that
are no numbers, as floats may be, are a gap: silence of their length takes their place. Gaps are told together, at
most once a window.

If a WAV header (RIFF, RF64, BW64) states no length, or 2 GiB and more where it has 32 bits for it, the sound lasts
until the input ends. A file OUT appears when the stream ends: where power may fail, write to standard output.

Exit code:
  0  the input ended
  1  something unforeseen: out of memory, or a bug
  2  the command line makes no sense
  3  the model could not be loaded
  4  the input could not be read, or broke off within a sample; events so far were written
  5  an output could not be written; without a message if it is a pipe whose reader has read enough
  6  the input had no sample
  7  the stream would take more memory than --max-memory allows
SIGINT, SIGTERM, SIGHUP and SIGQUIT end the stream: what is open is written, then the program ends by that signal,
which a shell tells as 128 and its number: 130 after SIGINT, 143 after SIGTERM.)";

const std::map<std::string, audio::WavSample> formats = {
    {"u8", audio::WavSample::unsigned8}, {"s16", audio::WavSample::signed16},
    {"s24", audio::WavSample::signed24}, {"s32", audio::WavSample::signed32},
    {"f32", audio::WavSample::float32},  {"f64", audio::WavSample::float64}};

/// What is wrong with a time; "" if nothing is.
std::string seconds_problem(const std::string& text) {
  double seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, seconds);
  if (code == std::errc() && stop == end && std::isfinite(seconds) && seconds > 0) return "";
  return "found '" + text + "', expected seconds, more than 0, such as 2.5";
}

/// Paths are kept as the bytes given, not converted.
struct StreamText {
  std::string input, model, out, normalize = "none";
  RunText run;
};

void declare(CLI::App& app, StreamText& text, StreamOptions& o) {
  const CLI::Validator is_name(name_problem, ""), is_seconds(seconds_problem, "");
  app.add_option("--stream", text.input, "Where the sound comes from")
      ->required()
      ->option_text("SOURCE")
      ->check(is_name);
  app.add_option("-m,--model", text.model, "The model, as pantanal-convert writes it")
      ->required()
      ->option_text("MODEL.safetensors")
      ->check(is_name);
  app.add_option("-o,--out", text.out,
                 "Write events here instead of to standard output (or -): a pipe or device, or a file "
                 "that appears when the stream ends")
      ->option_text("OUT.ndjson")
      ->check(is_name);
  app.add_option("--rate", o.rate, "Hz of raw samples (default 32000)")
      ->option_text("HZ")
      ->check(CLI::Range(std::uint32_t{audio::lowest_rate}, std::uint32_t{audio::highest_rate}));
  app.add_option("--channels", o.channels, "Channels of raw samples, interleaved (default 1)")
      ->option_text("N")
      ->check(CLI::Range(std::uint32_t{1}, std::uint32_t{audio::most_channels}));
  app.add_option("--format", o.format, "Raw samples, little-endian: u8, s16 (default), s24, s32, f32 or f64")
      ->option_text("FORMAT")
      ->transform(CLI::CheckedTransformer(formats));
  app.add_option("--hop", o.hop_s, "Seconds from one window to the next (default: a window's length)")
      ->option_text("S")
      ->check(is_seconds);
  app.add_option("--threshold", o.threshold, "A class is heard in a window from this logit on (default 0)")
      ->option_text("LOGIT");
  app.add_option("--longest", o.longest_s,
                 "A detection that lasts is written in pieces of so many seconds (default 60)")
      ->option_text("S")
      ->check(is_seconds);
  app.add_option("--top", o.top, "Classes told of each window (default 5); 0: windows are not told")
      ->option_text("N")
      ->check(CLI::Range(std::size_t{0}, std::size_t{1} << 20));
  app.add_option("--normalize", text.normalize,
                 "peak: remove each window's mean and scale its peak to 0.25 (default none)")
      ->option_text("none|peak")
      ->check(CLI::IsMember({"none", "peak"}));
  app.add_option("--threads", o.threads, "Threads to compute with (default 1; 0: as many as the CPU has)")
      ->option_text("N")
      ->check(CLI::Range(std::size_t{0}, std::size_t{1024}));
  declare_run_options(app, text.run, "a stream");
}

}  // namespace

bool is_stream_line(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument(argv[i]);
    if (argument == "--") return false;
    if (argument == "--stream" || argument.starts_with("--stream=")) return true;
  }
  return false;
}

StreamCommandLine parse_stream_line(int argc, const char* const* argv) {
  CLI::App app(stream_description, "pantanal-infer");
  app.footer(stream_footer);
  StreamText text;
  StreamOptions options;
  declare(app, text, options);
  try {
    parse_strictly(app, argc, argv);
  } catch (const CLI::Success& success) {  // --help
    std::ostringstream out;
    app.exit(success, out, out);
    return {{}, ExitCode::done, out.str()};
  } catch (const CLI::ParseError& error) {
    return {{},
            ExitCode::usage,
            "pantanal-infer: " + std::string(error.what()) +
                "\nRun with --stream - --help for more information.\n"};
  }
  options.input = text.input;
  options.model = text.model;
  if (!text.out.empty() && text.out != "-") options.out = text.out;
  options.max_memory = text.run.memory_limit();
  options.precision = text.run.chosen_precision();
  options.packed_weights = text.run.packed_weights;
  options.normalize = text.normalize == "peak" ? audio::Normalize::peak : audio::Normalize::none;
  return {std::move(options), ExitCode::done, {}};
}

}  // namespace pantanal::infer
