#include "pantanal/core/barrier.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

namespace pantanal {
namespace {

/// Every member writes its own place and, after the barrier, must find what the others wrote in that phase.
/// Returns how often it did not.
std::size_t stale_reads(std::size_t members, std::size_t phases, std::chrono::microseconds lateness) {
  Barrier barrier(members);
  std::vector<std::size_t> written(members), stale(members);
  std::vector<std::jthread> threads;
  for (std::size_t self = 0; self < members; ++self)
    threads.emplace_back([&, self] {
      for (std::size_t phase = 1; phase <= phases; ++phase) {
        if (self == phase % members) std::this_thread::sleep_for(lateness);
        written[self] = phase;
        barrier.arrive_and_wait();
        for (const std::size_t other : written) stale[self] += other != phase;
        barrier.arrive_and_wait();
      }
    });
  threads.clear();
  std::size_t sum = 0;
  for (const std::size_t count : stale) sum += count;
  return sum;
}

TEST(Barrier, SeparatesPhasesOfThreadsThatSpin) {
  for (const std::size_t members : {1, 2, 5}) EXPECT_EQ(stale_reads(members, 500, {}), 0u) << members;
}

TEST(Barrier, WakesThreadsThatFellAsleep) {
  EXPECT_EQ(stale_reads(3, 20, std::chrono::microseconds(5000)), 0u);
}

}  // namespace
}  // namespace pantanal
