// Heads of the small competition; training them is compiled once, in small_heads.cpp.
#pragma once

#include "competition/small_competition.hpp"
#include "pantanal/competition/heads.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::competition {

/// Trained with studies.
Result<HeadsBundle> small_heads(const SmallCompetition& competition, const Configuration& configuration);

}  // namespace pantanal::competition
