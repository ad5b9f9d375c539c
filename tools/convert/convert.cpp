#include "convert.hpp"

#include <signal.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "labels/class_list.hpp"
#include "onnx/onnx_reader.hpp"
#include "pantanal/core/requested_isa.hpp"
#include "pantanal/io/atomic_file.hpp"
#include "pantanal/perch/keep_classes.hpp"
#include "pantanal/perch/model_file.hpp"
#include "recognise/recognise.hpp"
#include "released_architecture.hpp"
#include "savedmodel/savedmodel.hpp"
#include "sha256.hpp"
#include "summary.hpp"
#include "verify/precision_error.hpp"
#include "verify/verify.hpp"

namespace pantanal::convert {
namespace {

namespace fs = std::filesystem;

/// An Error and how the program ends because of it.
struct Failure {
  ExitCode code;
  Error error;
};

using Outcome = std::optional<Failure>;

/// Lines for people. Names come from files: bytes that could steer a terminal are shown as '?'.
void say(std::ostream& stream, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    stream << ((byte < 0x20 && c != '\n') || byte == 0x7f ? '?' : c);
  }
  stream << std::endl;
}

/// While it lives, signals that end the program wait. By handlers and not a mask: that would be this thread's
/// alone, and a signal would go to one that computes. One at a time.
class HeldSignals {
 public:
  HeldSignals() {
    received = 0;
    struct sigaction hold = {};
    hold.sa_handler = [](int signal) { received = signal; };
    hold.sa_flags = SA_RESTART;
    for (std::size_t i = 0; i < signals.size(); ++i) {
      ::sigaction(signals[i], nullptr, &before_[i]);
      if (before_[i].sa_handler != SIG_IGN) ::sigaction(signals[i], &hold, nullptr);  // as nohup asks
    }
  }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  ~HeldSignals() {
    for (std::size_t i = 0; i < signals.size(); ++i) ::sigaction(signals[i], &before_[i], nullptr);
    if (const int signal = received.exchange(0); signal != 0) ::raise(signal);
  }

 private:
  static constexpr std::array signals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  static inline std::atomic<int> received{0};
  static_assert(std::atomic<int>::is_always_lock_free, "a signal handler sets it");

  std::array<struct sigaction, signals.size()> before_ = {};
};

class Conversion {
 public:
  Conversion(const ConvertOptions& options, std::ostream& report, std::ostream& log)
      : options_(options), report_(report), log_(log) {}

  Outcome run() {
    if (const Status isa = check_requested_isa(); !isa) return Failure{ExitCode::usage, isa.error()};
    if (auto failure = check_paths()) return failure;
    if (auto failure = read_names()) return failure;
    if (auto failure = is_savedmodel(options_.source) ? convert_savedmodel() : convert_onnx()) return failure;
    if (auto failure = keep_wanted()) return failure;
    if (const auto difference = difference_from_release(model_.architecture); difference && !options_.classes)
      note(*difference);
    report_ << summary(model_) << std::flush;
    if (auto failure = narrow()) return failure;
    const HeldSignals held;  // an interruption now would leave a temporary file
    if (const Status saved = perch::save_model(model_, options_.out); !saved)
      return Failure{ExitCode::output, saved.error()};
    std::error_code code;
    progress("wrote " + options_.out.string() + ", " + std::to_string(fs::file_size(options_.out, code)) +
             " bytes");
    return {};
  }

 private:
  void note(const std::string& text) { say(log_, "note: " + text); }

  /// With the seconds since the start.
  void progress(const std::string& text) {
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "[%6.1f s] ",
                  std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count());
    say(log_, seconds + text);
  }

  /// What would otherwise only come out after the work is done.
  Outcome check_paths() const {
    std::error_code code;
    const fs::path folder = options_.out.has_parent_path() ? options_.out.parent_path() : fs::path(".");
    if (!fs::is_directory(folder, code))
      return Failure{ExitCode::output,
                     {ErrorCode::not_found, options_.out.string(), "no such folder", "a folder that exists"}};
    const HeldSignals held;
    if (const auto probe = AtomicFile::create(options_.out); !probe)
      return Failure{ExitCode::output, probe.error()};
    for (const auto& input : {std::optional(options_.source), options_.labels, options_.classes})
      if (input && would_overwrite(*input))
        return Failure{ExitCode::usage,
                       {ErrorCode::invalid_argument, options_.out.string(), "an input, " + input->string(),
                        "another file to write"}};
    return {};
  }

  /// Whether OUT is `input`, or stands in the SavedModel that is converted.
  bool would_overwrite(const std::filesystem::path& input) const {
    std::error_code code;
    if (fs::equivalent(input, options_.out, code)) return true;
    if (!fs::is_directory(input, code)) return false;
    const fs::path inside =
        fs::weakly_canonical(options_.out, code).lexically_relative(fs::canonical(input, code));
    return fs::exists(options_.out, code) && !inside.empty() && *inside.begin() != "..";
  }

  /// Reads --labels, before what takes long.
  Outcome read_names() {
    if (!options_.labels) return {};
    auto labels = read_labels(*options_.labels);
    if (!labels) return Failure{ExitCode::usage, std::move(labels).error()};
    labels_ = *std::move(labels);
    return {};
  }

  Outcome convert_savedmodel() {
    progress("reading " + options_.source.string());
    auto model = read_savedmodel(options_.source, options_.labels);
    if (!model) return Failure{ExitCode::refused, std::move(model).error()};
    model_ = *std::move(model);
    note(
        "a SavedModel is converted by its variables: activations, strides and pads are those of the released "
        "Perch v2, and "
        "there is no graph to verify the model against");
    return choose_classes();
  }

  Outcome convert_onnx() {
    progress("reading " + options_.source.string());
    const auto graph = read_onnx(options_.source);
    if (!graph) return Failure{ExitCode::refused, graph.error()};
    progress("recognising " + std::to_string(graph->nodes.size()) + " nodes");
    auto recognised = recognise(*graph, {.trust_graph = options_.trust_graph});
    if (!recognised) return Failure{ExitCode::refused, std::move(recognised).error()};
    for (const std::string& text : recognised->notes) note(text);
    model_ = recognised->model;
    auto sha256 = sha256_of_file(options_.source);
    if (!sha256) return Failure{ExitCode::refused, std::move(sha256).error()};
    model_.source = {options_.source.filename().string(), *std::move(sha256), "onnx"};
    if (auto failure = name_classes()) return failure;
    if (auto failure = choose_classes()) return failure;
    if (const Status valid = perch::validate(model_, options_.source.string()); !valid)
      return Failure{ExitCode::refused, valid.error()};
    return verify_graph(*graph, *recognised);
  }

  /// From --labels; numbers without.
  Outcome name_classes() {
    const std::size_t classes = model_.architecture.label.classes;
    if (!options_.labels) {
      for (std::size_t i = 0; i < classes; ++i) model_.labels.push_back("class_" + std::to_string(i));
      if (classes > 0 && !options_.classes)
        note("no --labels: classes are called class_0 to " + model_.labels.back());
      return {};
    }
    if (labels_.size() != classes)
      return Failure{ExitCode::usage,
                     {ErrorCode::mismatch, options_.labels->string(),
                      std::to_string(labels_.size()) + " names", expected_names(labels_.size(), classes)}};
    model_.labels = std::move(labels_);
    return {};
  }

  Outcome verify_graph(const Graph& graph, const Recognised& recognised) {
    if (options_.verify_windows == 0) {
      note("not verified, as asked for with --verify 0");
      return {};
    }
    progress("verifying on " + std::to_string(options_.verify_windows) + " windows against the graph itself");
    const auto agreements =
        verify(graph, recognised, std::make_shared<perch::Model>(model_), options_.verify_windows);
    if (!agreements) return Failure{ExitCode::disagrees, agreements.error()};
    for (const OutputAgreement& agreement : *agreements) {
      char text[160];
      std::snprintf(text, sizeof text, "%s agrees: %s %.1e, allowed %.0e", agreement.output.c_str(),
                    agreement.measure.c_str(), agreement.difference, agreement.allowed);
      progress(text);
    }
    return {};
  }

  /// Reads --classes, as soon as the classes have names.
  Outcome choose_classes() {
    if (!options_.classes) return {};
    const bool named =
        model_.architecture.label.classes > 0 && (options_.labels || model_.source.kind == "savedmodel");
    if (!named)
      return Failure{
          ExitCode::usage,
          {ErrorCode::invalid_argument, options_.classes->string(),
           model_.labels.empty() ? "a source without label head" : "classes without names",
           model_.labels.empty() ? "a source with one, or no --classes" : "--labels with their names"}};
    auto selection = select_classes(model_.labels, *options_.classes);
    if (!selection) return Failure{ExitCode::usage, std::move(selection).error()};
    selection_ = *std::move(selection);
    return {};
  }

  /// Drops the classes that --classes does not ask for.
  Outcome keep_wanted() {
    if (!options_.classes) return {};
    auto kept = perch::keep_classes(model_, selection_.rows);
    if (!kept) return Failure{ExitCode::usage, std::move(kept).error()};
    note("kept " + std::to_string(selection_.rows.size()) + " of " + std::to_string(model_.labels.size()) +
         " classes: " + std::to_string(selection_.mapped) + " by name, the others for " +
         std::to_string(selection_.proxies.size()) + " classes that are represented by their genus");
    std::string unmapped;
    for (const std::string& label : selection_.unmapped) unmapped += " " + label;
    if (!unmapped.empty()) note("not among the labels:" + unmapped);
    model_ = *std::move(kept);
    return {};
  }

  /// Rounds what may be rounded to --dtype, and tells what that changes.
  Outcome narrow() {
    if (options_.dtype == Dtype::f32) return {};
    const perch::Model wide = model_;
    model_ = perch::with_dtype(wide, options_.dtype);
    const std::string name = options_.dtype == Dtype::bf16  ? "bf16"
                             : options_.dtype == Dtype::f16 ? "fp16"
                                                            : "int8";
    if (const Status valid = perch::validate(model_, name + " weights"); !valid)
      return Failure{ExitCode::refused, valid.error()};
    const auto windows = comparison_windows(options_.audio, wide.architecture.frontend);
    if (!windows) return Failure{ExitCode::usage, windows.error()};
    const auto tell = [&](perch::Precision precision, const std::string& what) -> Outcome {
      const auto error = precision_error(wide, model_, precision, *windows);
      if (!error) return Failure{ExitCode::disagrees, error.error()};
      progress(what + " against float32, " + error->text());
      return {};
    };
    if (auto failure = tell(perch::Precision::fp32, name + " weights")) return failure;
    const perch::Precision products =
        options_.dtype == Dtype::i8 ? perch::Precision::int8 : perch::Precision::bf16;
    if (options_.dtype == Dtype::f16 || !perch::is_supported(products, best_instruction_set())) return {};
    return tell(products, name + " weights and products (--precision " + name + ")");
  }

  const ConvertOptions& options_;
  std::ostream& report_;
  std::ostream& log_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::vector<std::string> labels_;  ///< from --labels
  ClassSelection selection_;         ///< from --classes
  perch::Model model_;
};

}  // namespace

ExitCode convert(const ConvertOptions& options, std::ostream& report, std::ostream& log) {
  const Outcome failure = Conversion(options, report, log).run();
  if (!failure) return ExitCode::done;
  say(log, "pantanal-convert: " + failure->error.message());
  say(log, "Nothing was written.");
  return failure->code;
}

}  // namespace pantanal::convert
