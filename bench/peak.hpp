// The machine's measured peak: fused multiply-adds on registers, as many independent chains as hide their
// latency.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "pantanal/core/cpu.hpp"

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

/// float32 GFLOP/s of one core with `isa`: the best of several runs, so that what else the machine does
/// counts little.
inline double peak_gflops(InstructionSet isa) {
  float (*loop)() = detail::fma_portable;
  double lanes = 4;
#if defined(__x86_64__)
  if (isa == InstructionSet::avx2) loop = detail::fma_avx2, lanes = 8;
  if (isa == InstructionSet::avx512) loop = detail::fma_avx512, lanes = 16;
#endif
  double best = 1e9;
  volatile float sink = 0;
  for (int repeat = 0; repeat < 20; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    sink = loop();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  static_cast<void>(sink);
  return 2 * lanes * detail::chains * static_cast<double>(detail::rounds) / best / 1e9;
}

}  // namespace pantanal::bench
