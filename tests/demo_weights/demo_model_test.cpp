// The repository's demo weights, on soundscapes that nothing was trained, chosen or measured on before.
#include "demo_model.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>

#include "core/refused.hpp"
#include "corpus.hpp"
#include "pantanal/ml/ranking_metrics.hpp"
#include "species.hpp"

namespace pantanal::demo {
namespace {

const std::filesystem::path weights = PANTANAL_SOURCE_DIR "/weights/demo";

TEST(DemoModel, KnowsItsSpeciesInNewSoundscapes) {
  auto demo = DemoModel::load(weights, 2);
  ASSERT_TRUE(succeeded(demo));
  const auto corpus = score_corpus({987'654'321, 16}, *demo, 2);
  ASSERT_TRUE(succeeded(corpus));
  EXPECT_EQ(corpus->labels.size(), 16 * windows_per_soundscape * all_species().size());
  EXPECT_GE(ml::macro_auc_or_zero(corpus->labels, corpus->scores.proto_ssm, all_species().size()), 0.95);
  EXPECT_GE(ml::macro_auc_or_zero(corpus->labels, corpus->scores.perch, all_species().size()), 0.95);
}

TEST(DemoModel, NamesItsSpecies) {
  const auto demo = DemoModel::load(weights, 1);
  ASSERT_TRUE(succeeded(demo));
  EXPECT_TRUE(std::ranges::equal(demo->model().labels, all_species(), {}, {}, &Species::name));
}

TEST(ShowDemo, EndsWithTwoForACommandLineThatMakesNoSense) {
  const int status = std::system(PANTANAL_SHOW_DEMO " 2>/dev/null");
  EXPECT_EQ(WEXITSTATUS(status), 2);
}

}  // namespace
}  // namespace pantanal::demo
