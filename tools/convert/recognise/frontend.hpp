// The front end: samples to log-mel spectrogram, out of the nodes between the input and the stem.
#pragma once

#include <vector>

#include "analysis/analysis.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/perch/architecture.hpp"

namespace pantanal::convert {

struct FrontendMatch {
  perch::Frontend frontend;   ///< sample_rate is Perch v2's: a graph does not say it
  std::vector<float> window;  ///< [frame_length]
  std::vector<float> mel;     ///< [bins, mel_bands]
};

/// Reads scale · ln(max(mel · |DFT(window · frame)|, floor)) from the value that the stem is applied to.
Result<FrontendMatch> match_frontend(const Analysis& analysis, const Fact& spectrogram);

}  // namespace pantanal::convert
