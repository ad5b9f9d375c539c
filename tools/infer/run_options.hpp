// --max-memory, --precision and --packed-weights, which several commands have alike.
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

/// Declares them. `what` is to be refused: "a run". `text` must outlive the parsing.
void declare_run_options(CLI::App& app, RunText& text, const std::string& what);

/// Says why `session` could not use the file of --packed-weights, if it could not; it has packed its own.
void report_packed_weights(const perch::Session& session, Console& console);

}  // namespace pantanal::infer
