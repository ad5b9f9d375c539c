// --max-memory, --precision, --packed-weights and --soundfile-compat, which several commands have alike.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "pantanal/perch/pointwise_weights.hpp"
#include "pantanal/perch/session.hpp"

namespace CLI {
class App;
}

namespace pantanal::infer {

class Console;

/// What the command line says of them, once it is parsed.
struct RunText {
  std::string max_memory, precision = "fp32", packed_weights;

  std::optional<std::size_t> memory_limit() const;  ///< bytes; nothing: none
  perch::Precision chosen_precision() const;
};

/// Declares all but the last. `what` is to be refused: "a run". `text` must outlive the parsing.
void declare_run_options(CLI::App& app, RunText& text, const std::string& what);

/// Declares --soundfile-compat, which a build without libsndfile refuses. `given` must outlive the parsing.
void declare_soundfile_compat(CLI::App& app, bool& given);

/// Says why `session` could not use the file of --packed-weights, or has made it anew, if that is so.
void report_packed_weights(const perch::Session& session, Console& console);

}  // namespace pantanal::infer
