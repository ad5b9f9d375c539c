// RandomState: NumPy's legacy generator, so that random_state=42 means the same here.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace pantanal::ml {

/// The stream of numpy.random.RandomState(seed), draw for draw: MT19937 with NumPy's own conversions, frozen
/// since NumPy 1.16 (NEP 19). Sources: Matsumoto and Nishimura 1998, "Mersenne Twister"; numpy.org's
/// description of the legacy generator.
class RandomState {
 public:
  explicit RandomState(std::uint32_t seed) {
    state_[0] = seed;
    for (std::uint32_t i = 1; i < words; ++i)
      state_[i] = 1812433253u * (state_[i - 1] ^ (state_[i - 1] >> 30)) + i;
  }

  /// The next 32 random bits.
  std::uint32_t bits32() {
    if (next_ == words) refill();
    std::uint32_t y = state_[next_++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
  }

  /// 64 random bits, the first draw in the upper half.
  std::uint64_t bits64() {
    const std::uint64_t high = bits32();
    return high << 32 | bits32();
  }

  /// Uniform in [0, 1), 53 bits: random_sample().
  double random_sample() {
    const std::uint32_t a = bits32() >> 5, b = bits32() >> 6;
    return (a * 67108864.0 + b) / 9007199254740992.0;
  }

  /// Uniform in [low, high).
  double uniform(double low, double high) { return low + (high - low) * random_sample(); }

  /// N(0, 1) by the polar method, whose second value is kept for the next call: standard_normal().
  double standard_normal() {
    if (has_spare_) {
      has_spare_ = false;
      return std::exchange(spare_, 0.0);
    }
    double x = 0, y = 0, r2 = 0;
    do {
      x = 2.0 * random_sample() - 1.0;
      y = 2.0 * random_sample() - 1.0;
      r2 = x * x + y * y;
    } while (r2 >= 1.0 || r2 == 0.0);
    const double scale = std::sqrt(-2.0 * std::log(r2) / r2);
    spare_ = scale * x;
    has_spare_ = true;
    return scale * y;
  }

  /// Uniform in 0..max: bits under the smallest mask of ones that covers max, drawn until they do not exceed
  /// it.
  std::uint64_t interval(std::uint64_t max) {
    if (max == 0) return 0;
    std::uint64_t mask = max;
    for (int shift = 1; shift < 64; shift *= 2) mask |= mask >> shift;
    std::uint64_t value = 0;
    do value = (max <= 0xffffffffu ? bits32() : bits64()) & mask;
    while (value > max);
    return value;
  }

  /// A whole number in low..high-1: randint(low, high) of 64-bit type. high must exceed low.
  std::int64_t randint(std::int64_t low, std::int64_t high) {
    const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) - 1;
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + interval(range));
  }

  /// shuffle(values).
  template <class T>
  void shuffle(std::span<T> values) {
    for (std::size_t i = values.size(); i-- > 1;) {
      const std::size_t j = static_cast<std::size_t>(interval(i));
      if (j != i) std::swap(values[i], values[j]);
    }
  }

  /// permutation(n).
  std::vector<std::size_t> permutation(std::size_t n) {
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    shuffle(std::span(order));
    return order;
  }

  /// Indices of choice(n, size, replace): with replacement, or the first `size` of a permutation, for which
  /// size must not exceed n.
  std::vector<std::size_t> choice(std::size_t n, std::size_t size, bool replace = true) {
    if (!replace) {
      std::vector<std::size_t> order = permutation(n);
      order.resize(size);
      return order;
    }
    std::vector<std::size_t> drawn(size);
    for (std::size_t& i : drawn) i = static_cast<std::size_t>(randint(0, static_cast<std::int64_t>(n)));
    return drawn;
  }

 private:
  static constexpr std::uint32_t words = 624, middle = 397;

  void refill() {
    // In three loops, none of which needs a remainder.
    std::uint32_t i = 0;
    for (; i < words - middle; ++i) state_[i] = state_[i + middle] ^ twist(state_[i], state_[i + 1]);
    for (; i < words - 1; ++i) state_[i] = state_[i + middle - words] ^ twist(state_[i], state_[i + 1]);
    state_[i] = state_[middle - 1] ^ twist(state_[i], state_[0]);
    next_ = 0;
  }

  static std::uint32_t twist(std::uint32_t a, std::uint32_t b) {
    const std::uint32_t y = (a & 0x80000000u) | (b & 0x7fffffffu);
    return (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0u);
  }

  std::array<std::uint32_t, words> state_{};
  std::uint32_t next_ = words;
  bool has_spare_ = false;
  double spare_ = 0;
};

}  // namespace pantanal::ml
