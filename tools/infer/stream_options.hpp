// What the command line asks of a stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "exit_code.hpp"
#include "pantanal/audio/normalize.hpp"
#include "pantanal/audio/wav_header.hpp"
#include "pantanal/perch/pointwise_weights.hpp"

namespace pantanal::infer {

struct StreamOptions {
  std::filesystem::path input;                           ///< "-": standard input
  std::filesystem::path model;                           ///< .safetensors
  std::optional<std::filesystem::path> out;              ///< of the events; otherwise standard output
  std::uint32_t rate = 32000, channels = 1;              ///< of raw samples; a WAV header says its own
  audio::WavSample format = audio::WavSample::signed16;  ///< of raw samples
  double hop_s = 0;                                      ///< 0: a window's length
  float threshold = 0;                                   ///< logit
  double longest_s = 60;                                 ///< of a detection in one piece
  std::size_t top = 5;  ///< classes told of each window; 0: windows are not told
  audio::Normalize normalize = audio::Normalize::none;
  std::size_t threads = 1;                     ///< 0: as many as the hardware has
  std::optional<std::size_t> max_memory = {};  ///< bytes; more is refused
  perch::Precision precision = perch::Precision::fp32;
  std::filesystem::path packed_weights = {};  ///< empty: none
};

/// What `arguments` mean: options, or a text to print and the code to end with.
struct StreamCommandLine {
  std::optional<StreamOptions> options;
  ExitCode code = ExitCode::done;
  std::string text;
};

/// Whether the arguments ask for a stream.
bool is_stream_line(int argc, const char* const* argv);

StreamCommandLine parse_stream_line(int argc, const char* const* argv);

}  // namespace pantanal::infer
