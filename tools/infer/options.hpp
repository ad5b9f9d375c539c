// What the command line asks for.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

#include "pantanal/audio/normalize.hpp"
#include "pantanal/perch/pointwise_weights.hpp"

namespace pantanal::infer {

struct Options {
  std::vector<std::filesystem::path> inputs;        ///< recordings, and folders of them
  std::filesystem::path model;                      ///< .safetensors
  std::optional<std::filesystem::path> out;         ///< of the CSV; otherwise standard output
  std::optional<std::filesystem::path> embeddings;  ///< an .npz, if wanted
  std::size_t threads = 0;                          ///< 0: as many as the hardware has
  std::size_t batch = 0;                            ///< windows computed together; 0: chosen by the threads
  std::size_t top = 5;                              ///< rows of CSV per window
  audio::Normalize normalize = audio::Normalize::none;
  bool recursive = false;                 ///< folders within folders, too
  bool in_process = false;                ///< decode within the program
  bool soundfile_compat = false;          ///< decode as Python's soundfile does
  std::optional<std::size_t> max_memory;  ///< bytes; more is refused
  perch::Precision precision = perch::Precision::fp32;
  std::filesystem::path packed_weights = {};  ///< empty: none
};

}  // namespace pantanal::infer
