// The machine's measured limits: fused multiply-adds on registers, as many independent chains as hide their
// latency, and reading an array that no cache holds.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

#include <vector>

#include "pantanal/core/cpu.hpp"
#include "pantanal/core/parallel.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pantanal::bench {

namespace detail {

constexpr std::size_t rounds = 200'000;
constexpr int chains = 12;

#if defined(__x86_64__)
[[gnu::target("avx512f")]] inline float fma_avx512() {
  __m512 sum[chains], a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(1e-3f);
  for (int c = 0; c < chains; ++c) sum[c] = _mm512_set1_ps(static_cast<float>(c));  // else all are one chain
  for (std::size_t i = 0; i < rounds; ++i)
#pragma GCC unroll 12
    for (int c = 0; c < chains; ++c) sum[c] = _mm512_fmadd_ps(sum[c], a, b);
  for (int c = 1; c < chains; ++c) sum[0] += sum[c];
  return sum[0][0];
}

[[gnu::target("avx2,fma")]] inline float fma_avx2() {
  __m256 sum[chains], a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(1e-3f);
  for (int c = 0; c < chains; ++c) sum[c] = _mm256_set1_ps(static_cast<float>(c));
  for (std::size_t i = 0; i < rounds; ++i)
#pragma GCC unroll 12
    for (int c = 0; c < chains; ++c) sum[c] = _mm256_fmadd_ps(sum[c], a, b);
  for (int c = 1; c < chains; ++c) sum[0] += sum[c];
  return sum[0][0];
}
#endif

inline float fma_portable() {
  using V = float __attribute__((vector_size(16)));
  V sum[chains], a = V{} + 0.999f, b = V{} + 1e-3f;
  for (int c = 0; c < chains; ++c) sum[c] = V{} + static_cast<float>(c);
  for (std::size_t i = 0; i < rounds; ++i)
#pragma GCC unroll 12
    for (int c = 0; c < chains; ++c) sum[c] = sum[c] * a + b;
  for (int c = 1; c < chains; ++c) sum[0] += sum[c];
  return sum[0][0];
}

}  // namespace detail

namespace detail {

/// Shortest of `repeats` runs of body(team) by `threads` threads that start together, in seconds.
template <class Body>
double shortest(std::size_t threads, int repeats, Body&& body) {
  double best = 1e9;
  parallel_team(threads, [&](const Team& team) {
    for (int repeat = 0; repeat < repeats; ++repeat) {
      team.wait();
      const auto start = std::chrono::steady_clock::now();
      body(team);
      team.wait();
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      if (team.rank() == 0) best = std::min(best, seconds.count());
    }
  });
  return best;
}

}  // namespace detail

/// float32 GFLOP/s of `threads` cores together with `isa`: the best of several runs, so that what else the
/// machine does counts little.
inline double peak_gflops(InstructionSet isa, std::size_t threads = 1) {
  float (*loop)() = detail::fma_portable;
  double lanes = 4;
#if defined(__x86_64__)
  if (isa == InstructionSet::avx2) loop = detail::fma_avx2, lanes = 8;
  if (isa == InstructionSet::avx512) loop = detail::fma_avx512, lanes = 16;
#endif
  std::vector<float> sinks(16 * threads);
  const double best =
      detail::shortest(threads, 20, [&](const Team& team) { sinks[16 * team.rank()] = loop(); });
  volatile float sink = sinks[0];
  static_cast<void>(sink);
  return 2 * lanes * static_cast<double>(threads) * detail::chains * static_cast<double>(detail::rounds) /
         best / 1e9;
}

/// GB/s at which `threads` cores together read 256 MiB in order.
inline double read_gbytes(std::size_t threads = 1) {
  using V = float __attribute__((vector_size(64)));
  const std::vector<V> memory((std::size_t{256} << 20) / sizeof(V), V{} + 1.0f);
  std::vector<V> sinks(threads);
  const double best = detail::shortest(threads, 5, [&](const Team& team) {
    const Range mine = team.share(memory.size(), 4);
    V sum[4] = {};
    for (std::size_t i = mine.begin; i + 4 <= mine.end; i += 4)
      for (std::size_t j = 0; j < 4; ++j) sum[j] += memory[i + j];
    sinks[team.rank()] = sum[0] + sum[1] + sum[2] + sum[3];
  });
  volatile float sink = sinks[0][0];
  static_cast<void>(sink);
  return static_cast<double>(memory.size() * sizeof(V)) / best / 1e9;
}

}  // namespace pantanal::bench
