// The command lines of `pantanal-infer submit`, `pantanal-infer rescore` and pantanal-train.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "exit_code.hpp"
#include "soundscape_decoder.hpp"
#include "submit_options.hpp"

namespace pantanal::competition {

struct TrainOptions {
  std::filesystem::path data, perch, out, logs;
  std::optional<std::filesystem::path> cache;
  bool with_studies = false;
  Configuration configuration = {};
  std::size_t threads = 0;  ///< 0: as many as the hardware has
  SoundscapeDecoder::Options decoding = {};
};

struct RescoreOptions {
  std::filesystem::path cache, heads, out;
  std::filesystem::path steps;  ///< every step's result as .npz; empty: nowhere
  std::size_t threads = 0;      ///< 0: as many as the hardware has
};

/// Either options to go on with, or text to print and a code to end with: help, or a mistake.
template <class Options>
struct ParsedLine {
  std::optional<Options> options;
  infer::ExitCode code = infer::ExitCode::done;
  std::string text;  ///< for standard output if `code` is done, else for standard error
};

/// The arguments after `submit`, which argv[0] is.
ParsedLine<SubmitOptions> parse_submit_line(int argc, const char* const* argv);

ParsedLine<TrainOptions> parse_train_line(int argc, const char* const* argv);

/// The arguments after `rescore`, which argv[0] is.
ParsedLine<RescoreOptions> parse_rescore_line(int argc, const char* const* argv);

}  // namespace pantanal::competition
