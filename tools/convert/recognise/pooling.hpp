// Reductions: means and maxima over all positions, and Euclidean norms, in the spellings exporters use.
#pragma once

#include <string>
#include <vector>

#include "analysis/analysis.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::convert {

enum class Pooling { mean, maximum };

/// What `value` is the mean or maximum of, over every position (time and frequency) and nothing else.
Result<const Fact*> match_pooling(const Analysis& analysis, const Fact& value, Pooling pooling,
                                  const std::string& role);

/// √(Σ x²).
struct NormMatch {
  std::vector<const Fact*> terms;    ///< one, summed over `reduced`; or two, whose squares are added
  std::vector<std::size_t> reduced;  ///< dimensions of the only term
};

/// The norm that `value` is.
Result<NormMatch> match_norm(const Analysis& analysis, const Fact& value, const std::string& role);

}  // namespace pantanal::convert
