// A team of threads that runs one function together: OpenMP where the build has it, std::thread otherwise.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <thread>
#include <vector>

#include "pantanal/core/barrier.hpp"

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace pantanal {

/// A half-open range of indices.
struct Range {
  std::size_t begin = 0, end = 0;
  std::size_t size() const { return end - begin; }
};

/// One thread's view of the team it runs in.
class Team {
 public:
  Team() = default;  ///< a team of one
  Team(std::size_t rank, std::size_t size, Barrier* barrier) : rank_(rank), size_(size), barrier_(barrier) {}

  std::size_t rank() const { return rank_; }
  std::size_t size() const { return size_; }

  /// Waits until every member has arrived. Every member must call it equally often.
  void wait() const {
    if (size_ > 1) barrier_->arrive_and_wait();
  }

  /// This member's contiguous share of 0..n, cut at multiples of `grain` (except at n itself).
  Range share(std::size_t n, std::size_t grain = 1) const {
    const std::size_t grains = (n + grain - 1) / grain;
    return {std::min(n, grains * rank_ / size_ * grain), std::min(n, grains * (rank_ + 1) / size_ * grain)};
  }

 private:
  std::size_t rank_ = 0, size_ = 1;
  Barrier* barrier_ = nullptr;
};

/// Number of hardware threads this process may use, at least 1.
inline std::size_t hardware_threads() {
#if defined(_OPENMP)
  return static_cast<std::size_t>(std::max(1, omp_get_num_procs()));
#else
  return std::max(1u, std::thread::hardware_concurrency());
#endif
}

/// Runs body(const Team&) on up to `threads` threads, the caller being one of them, and waits for all.
/// The runtime may grant fewer; results must not depend on how many. body must not throw.
template <class Body>
void parallel_team(std::size_t threads, Body&& body) {
  if (threads <= 1) return body(Team());
#if defined(_OPENMP)
  // Not OpenMP's own barrier: GCC's spins for milliseconds, tenfold the time where other programs want the
  // cores.
  std::optional<Barrier> barrier;
#pragma omp parallel num_threads(static_cast <int>(threads))
  {
    const auto size = static_cast<std::size_t>(omp_get_num_threads());
#pragma omp single
    barrier.emplace(size);
    body(Team(static_cast<std::size_t>(omp_get_thread_num()), size, &*barrier));
  }
#else
  Barrier barrier(threads);
  std::vector<std::jthread> others;
  others.reserve(threads - 1);
  for (std::size_t rank = 1; rank < threads; ++rank)
    others.emplace_back([&, rank] { body(Team(rank, threads, &barrier)); });
  body(Team(0, threads, &barrier));
#endif
}

}  // namespace pantanal
