// From a competition's folder and a Perch model to trained heads.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "console.hpp"
#include "pantanal/competition/configuration.hpp"
#include "pantanal/competition/heads.hpp"
#include "pantanal/competition/tables.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/perch/model.hpp"
#include "soundscape_decoder.hpp"

namespace pantanal::competition {

struct TrainingRequest {
  std::filesystem::path data;
  SoundscapeDecoder& decoder;
  std::optional<std::filesystem::path> cache;  ///< read if it is there, else written
  Configuration configuration = {};
  bool with_studies = false;
  std::size_t threads = 1;
  std::function<bool()> should_stop = {};
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

/// Trains, on Perch's outputs from the cache or computed on the fully labelled training soundscapes. Says on
/// `console` how it goes. A soundscape that is missing or broken is named and not trained on. Errors: those
/// of the steps; no soundscape that can be read.
Result<TrainedHeads> run_training(const TrainingRequest& request, const CompetitionTables& tables,
                                  const std::shared_ptr<const perch::Model>& model, infer::Console& console);

}  // namespace pantanal::competition
