// Sets of soundscapes for training and measuring, made from seeds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "demo_model.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/train/perch_inputs.hpp"
#include "pantanal/train/perch_step.hpp"
#include "soundscape.hpp"

namespace pantanal::demo {

/// Soundscapes of the seeds first … first + count - 1.
struct Seeds {
  std::uint64_t first = 0;
  std::size_t count = 0;
};

/// What Perch is trained on: a spectrogram and labels for each window.
struct Corpus {
  std::vector<float> inputs, labels;
  train::PerchData data() const { return {inputs, labels, windows}; }
  std::size_t windows = 0;
};

/// What ProtoSSM is trained on and what is measured: scores and labels.
struct ScoredCorpus {
  Scores scores;
  std::vector<float> labels;  ///< [F, 12, species]
  std::size_t files = 0;
};

Result<Corpus> make_corpus(const Seeds& seeds, train::PerchInputs& inputs, std::size_t threads);
Result<ScoredCorpus> score_corpus(const Seeds& seeds, DemoModel& model, std::size_t threads);

}  // namespace pantanal::demo
