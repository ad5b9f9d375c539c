// --max-memory, --precision and --soundfile-compat, which several commands have alike.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "pantanal/perch/pointwise_weights.hpp"

namespace CLI {
class App;
}

namespace pantanal::infer {

/// What the command line says of them, once it is parsed.
struct RunText {
  std::string max_memory, precision = "fp32";

  std::optional<std::size_t> memory_limit() const;  ///< bytes; nothing: none
  perch::Precision chosen_precision() const;
};

/// Declares --max-memory and --precision. `what` is to be refused: "a run". `text` must outlive the parsing.
void declare_run_options(CLI::App& app, RunText& text, const std::string& what);

/// Declares --soundfile-compat, which a build without libsndfile refuses. `given` must outlive the parsing.
void declare_soundfile_compat(CLI::App& app, bool& given);

}  // namespace pantanal::infer
