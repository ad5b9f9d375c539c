#include "command_line.hpp"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arguments.hpp"

namespace pantanal::convert {
namespace {

constexpr const char* description = R"(Perch v2's public weights as one file that Pantanal runs.

SOURCE is an ONNX file (perch_v2.onnx, perch_v2_no_dft.onnx or a headless one) or the
directory of the TensorFlow SavedModel that Kaggle publishes. An ONNX file is recognised
by its structure, and the result is compared with the graph itself, run operator by
operator, before anything is written.)";

constexpr const char* footer = R"(
--classes takes a competition's taxonomy (a CSV with primary_label, scientific_name and
class_name) or one label a line. Labels of the same genus are kept for amphibians,
insects and birds that are no labels themselves. The label head is most of the work of a
window, so this makes a model several times as fast.

--dtype bf16 or fp16 stores the large weights (1x1 convolutions and prototypes, nine tenths
of all) in 16 bits; bf16 stays so in memory, which then takes half. int8 takes a quarter, in
the file and in memory, and is less exact: a number of 8 bits per weight and a scale per
output channel. What that changes is measured and told: the embedding's cosine and relative L2 distance and the ranks of the
likeliest classes, beside float32, on synthetic audio or the recordings of --audio.

PANTANAL_ISA=portable, avx2 or avx512 in the environment chooses the CPU's instructions; by
default they are the widest it has.

Exit code:
  0  the model was written
  1  something unforeseen: out of memory, or a bug
  2  the command line, or a file of labels or classes that it names, makes no sense
  3  the source could not be read, or is not recognised as Perch v2
  4  the converted model could not be shown to compute what the source does
  5  the output could not be written
130 (SIGINT), 143 (SIGTERM) and the like: ended by a signal, nothing is written)";

std::string name_problem(const std::string& name) { return name.empty() ? "'' is no file name" : ""; }

CommandLine fail(const std::string& message) {
  return {{}, ExitCode::usage, "pantanal-convert: " + message + "\nRun with --help for more information.\n"};
}

/// What the options are before they are checked against each other; paths are the bytes given, not converted.
struct Text {
  std::string source, out, labels, classes, dtype = "fp32";
  std::vector<std::string> audio;
  std::int64_t windows = 2;
};

void declare(CLI::App& app, Text& text, ConvertOptions& options) {
  const CLI::Validator is_name(name_problem, "");
  app.add_option("source", text.source, "The ONNX file, or the SavedModel's directory")
      ->required()
      ->option_text("SOURCE")
      ->check(is_name);
  app.add_option("out", text.out, "The model to write")
      ->required()
      ->option_text("OUT.safetensors")
      ->check(is_name);
  app.add_option("--labels", text.labels, "Names of all classes, in order, below a header line")
      ->option_text("labels.csv")
      ->check(is_name);
  app.add_option("--classes", text.classes, "Keep only these classes")
      ->option_text("taxonomy.csv|names.txt")
      ->check(is_name);
  app.add_option("--verify", text.windows, "Windows to compare with the graph (default 2; 0: none)")
      ->option_text("N")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{10000}));
  app.add_option("--dtype", text.dtype, "How the large weights are stored (default fp32)")
      ->option_text("fp32|bf16|fp16|int8")
      ->check(CLI::IsMember({"fp32", "bf16", "fp16", "int8"}));
  app.add_option("--audio", text.audio, "Recording to measure the error of --dtype on; may be given again")
      ->option_text("FILE")
      ->check(is_name)
      ->expected(1)
      ->take_all();
  app.add_flag(
      "--trust-graph", options.trust_graph,
      "Convert a graph that departs from every Perch v2 (other pads or activations, a bias or a block "
      "missing, another window, mel scale or floor), because you know that it is meant to be so; each "
      "departure is noted");
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv) {
  CLI::App app(description, "pantanal-convert");
  app.set_version_flag("--version", std::string("pantanal-convert " PANTANAL_VERSION));
  app.footer(footer);
  Text text;
  ConvertOptions options;
  declare(app, text, options);
  try {
    parse_strictly(app, argc, argv);
  } catch (const CLI::Success& success) {  // --help or --version
    std::ostringstream told;
    app.exit(success, told, told);
    return {{}, ExitCode::done, told.str()};
  } catch (const CLI::ParseError& error) {
    return fail(error.what());
  }
  options.source = text.source;
  options.out = text.out;
  if (app.count("--labels") > 0) options.labels = text.labels;
  if (app.count("--classes") > 0) options.classes = text.classes;
  options.verify_windows = static_cast<std::size_t>(text.windows);
  const std::map<std::string_view, Dtype> dtypes = {
      {"fp32", Dtype::f32}, {"bf16", Dtype::bf16}, {"fp16", Dtype::f16}, {"int8", Dtype::i8}};
  options.dtype = dtypes.at(text.dtype);
  if (!text.audio.empty() && options.dtype == Dtype::f32)
    return fail("--audio: it is for --dtype bf16, fp16 or int8");
  options.audio.assign(text.audio.begin(), text.audio.end());
  return {std::move(options), ExitCode::done, {}};
}

}  // namespace pantanal::convert
