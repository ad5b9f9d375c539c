#include "small_heads.hpp"

#include <utility>

#include "pantanal/competition/train_heads.hpp"

namespace pantanal::competition {

Result<HeadsBundle> small_heads(const SmallCompetition& competition, const Configuration& configuration) {
  PANTANAL_TRY(TrainedHeads trained, train_heads(competition.tables, competition.perch, competition.mapping,
                                                 17, {.configuration = configuration, .with_studies = true}));
  return std::move(trained.bundle);
}

}  // namespace pantanal::competition
