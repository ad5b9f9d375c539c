// Passes cover every file once, whatever the team.
#include "pantanal/train/workspace.hpp"

#include <gtest/gtest.h>

namespace pantanal::train {
namespace {

TEST(Workspace, CutsABatchIntoPassesOfWholeFiles) {
  for (const std::size_t threads : {1, 2, 5})
    for (const nn::Sequences batch : {nn::Sequences{59, 12}, {1, 12}, {3, 500}, {7, 1}}) {
      Workspace workspace(kernels::table(best_instruction_set()), threads);
      workspace.plan(100);
      const std::size_t most = Workspace::most_per_pass(batch).count;
      EXPECT_GE(most, 1u);
      std::vector<int> visits(batch.count);
      for (std::size_t rank = 0; rank < threads; ++rank)
        workspace.run_passes(Team(rank, threads, nullptr), batch, {.epoch = 3},
                             [&](const autograd::Pass& pass) {
                               EXPECT_LE(pass.files.size(), most);
                               EXPECT_EQ(pass.steps, batch.steps);
                               EXPECT_EQ(pass.epoch, 3u);
                               for (std::size_t f = pass.files.begin; f < pass.files.end; ++f) ++visits[f];
                             });
      EXPECT_EQ(visits, std::vector<int>(batch.count, 1));
    }
}

}  // namespace
}  // namespace pantanal::train
