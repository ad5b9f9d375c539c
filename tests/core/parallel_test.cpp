#include "pantanal/core/parallel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace pantanal {
namespace {

TEST(Team, SharesCoverEveryIndexOnce) {
  for (const std::size_t size : {1, 2, 3, 7})
    for (const std::size_t n : {0, 1, 5, 16, 100})
      for (const std::size_t grain : {1, 8, 48}) {
        std::size_t next = 0;
        for (std::size_t rank = 0; rank < size; ++rank) {
          const Range share = Team(rank, size, nullptr).share(n, grain);
          EXPECT_EQ(share.begin, next);
          EXPECT_LE(share.begin, share.end);
          if (share.end != n) {
            EXPECT_EQ(share.end % grain, 0u);
          }
          next = share.end;
        }
        EXPECT_EQ(next, n);
      }
}

TEST(ParallelTeam, RunsEveryRankOnceAndWaits) {
  for (const std::size_t threads : {1, 2, 5}) {
    std::vector<std::atomic<int>> ran(threads);
    std::atomic<std::size_t> members{0};
    parallel_team(threads, [&](const Team& team) {
      ++ran[team.rank()];
      if (team.rank() == 0) members = team.size();
    });
    ASSERT_GE(members, 1u);
    ASSERT_LE(members, threads);
    for (std::size_t rank = 0; rank < members; ++rank) EXPECT_EQ(ran[rank], 1);
  }
}

TEST(ParallelTeam, WaitSeparatesPhases) {
  constexpr std::size_t phases = 50;
  std::atomic<std::size_t> arrived{0}, early{0};
  parallel_team(4, [&](const Team& team) {
    for (std::size_t phase = 1; phase <= phases; ++phase) {
      ++arrived;
      team.wait();
      if (arrived != phase * team.size()) ++early;
      team.wait();
    }
  });
  EXPECT_EQ(early, 0u);
}

TEST(HardwareThreads, IsAtLeastOne) { EXPECT_GE(hardware_threads(), 1u); }

}  // namespace
}  // namespace pantanal
