// Random: a seeded stream of numbers that is the same everywhere, unlike the standard library's
// distributions.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <random>

namespace pantanal::synthetic {

class Random {
 public:
  /// Streams of different `number` have nothing in common.
  explicit Random(std::uint64_t seed, std::uint64_t number = 0)
      : engine_(seed * 0x9e3779b97f4a7c15u + number * 0xbf58476d1ce4e5b9u + 1) {}

  double uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(uniform() * static_cast<double>(n)); }
  bool chance(double p) { return uniform() < p; }
  double normal() {
    return std::sqrt(-2 * std::log(1 - uniform())) * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace pantanal::synthetic
