// What `pantanal-infer submit` is asked for.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

#include "pantanal/competition/configuration.hpp"
#include "pantanal/perch/pointwise_weights.hpp"
#include "soundscape_decoder.hpp"

namespace pantanal::competition {

struct SubmitOptions {
  std::filesystem::path data, perch, heads, out, logs;
  std::optional<double> budget_s;                         ///< from the start of the program to its end
  bool resume = false;                                    ///< go on from the journal beside `out`
  std::optional<std::filesystem::path> train_from_cache;  ///< train first, with this cache, into `heads`
  Configuration configuration = {};                       ///< of that training
  std::size_t threads = 0;                                ///< 0: as many as the hardware has
  SoundscapeDecoder::Options decoding = {};
  std::optional<std::size_t> max_memory = {};  ///< bytes; more is refused
  perch::Precision precision = perch::Precision::fp32;
  std::filesystem::path packed_weights = {};  ///< empty: none
};

}  // namespace pantanal::competition
