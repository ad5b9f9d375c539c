// Philox: random numbers that are a function of where they are used, not of what was drawn before.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <utility>

namespace pantanal {

/// The bijection philox4x32-10: four random words from a counter and a key. Source: Salmon et al. 2011,
/// "Parallel Random Numbers: As Easy as 1, 2, 3", SC'11, section 3.3.
inline std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                           std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * counter[0],
                        b = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9, key[1] += 0xBB67AE85;
  }
  return counter;
}

/// Names an endless sequence of random words: word i is word i mod 4 of philox((i/4 low, i/4 high, step,
/// purpose), seed). What is drawn for one purpose and step is the same whatever else was drawn, by whichever
/// thread.
struct RandomStream {
  std::uint64_t seed = 0;
  std::uint32_t purpose = 0;  ///< one number per use: a layer's dropout, the mixup, a parameter's start
  std::uint32_t step = 0;     ///< the epoch

  /// Words 4·block … 4·block + 3.
  std::array<std::uint32_t, 4> block(std::uint64_t block) const {
    return philox({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), step, purpose},
                  {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  }
};

/// Reads a stream from its start.
class Random {
 public:
  explicit Random(RandomStream stream) : stream_(stream) {}

  std::uint32_t word() {
    if (next_ % 4 == 0) words_ = stream_.block(next_ / 4);
    return words_[next_++ % 4];
  }

  /// In (0, 1), 2^53 values.
  double uniform() {
    const std::uint64_t high = word() >> 5, low = word() >> 6;
    return (static_cast<double>(high << 26 | low) + 0.5) * 0x1p-53;
  }

  /// Standard normal. Source: Box and Muller 1958.
  double normal() {
    const double radius = std::sqrt(-2 * std::log(uniform())), angle = 2 * std::numbers::pi * uniform();
    return radius * std::cos(angle);
  }

  /// In 0 … n-1, all equally likely to within n·2^-53.
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(uniform() * static_cast<double>(n)); }

  /// Gamma(shape, 1), shape > 0. Source: Marsaglia and Tsang 2000, "A Simple Method for Generating Gamma
  /// Variables".
  double gamma(double shape) {
    if (shape < 1) return gamma(shape + 1) * std::pow(uniform(), 1 / shape);
    const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    for (;;) {
      const double x = normal(), v = std::pow(1 + c * x, 3);
      if (v > 0 && std::log(uniform()) < x * x / 2 + d - d * v + d * std::log(v)) return d * v;
    }
  }

  /// Beta(a, b), a and b > 0.
  double beta(double a, double b) {
    const double x = gamma(a), y = gamma(b);
    return x + y > 0 ? x / (x + y) : 0.5;
  }

  /// Fills `order` with 0 … n-1 in random order. Source: Durstenfeld 1964, algorithm 235.
  void permutation(std::span<std::size_t> order) {
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[below(i)]);
  }

 private:
  RandomStream stream_;
  std::uint64_t next_ = 0;
  std::array<std::uint32_t, 4> words_{};
};

}  // namespace pantanal
