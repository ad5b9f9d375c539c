// Philox against its authors' known answers, and the distributions against their moments.
#include "pantanal/core/philox.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace pantanal {
namespace {

using Words = std::array<std::uint32_t, 4>;

/// Known answers of the paper's own implementation, Random123: kat_vectors, philox4x32 with 10 rounds.
TEST(Philox, GivesTheKnownAnswers) {
  constexpr std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({ones, ones, ones, ones}, {ones, ones}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, StreamsAreTheirSeedPurposeAndStep) {
  Random a({.seed = 1, .purpose = 2, .step = 3}), same({.seed = 1, .purpose = 2, .step = 3}),
      seed({.seed = 1ull << 32, .purpose = 2, .step = 3}), purpose({.seed = 1, .purpose = 3, .step = 3}),
      step({.seed = 1, .purpose = 2, .step = 4});
  for (int i = 0; i < 9; ++i) {
    const std::uint32_t word = a.word();
    EXPECT_EQ(word, same.word());
    EXPECT_NE(word, seed.word());
    EXPECT_NE(word, purpose.word());
    EXPECT_NE(word, step.word());
  }
}

struct Moments {
  double mean = 0, variance = 0, smallest = INFINITY, largest = -INFINITY;
};

template <class Draw>
Moments moments(Draw&& draw) {
  constexpr int count = 200000;
  Moments m;
  double squares = 0;
  for (int i = 0; i < count; ++i) {
    const double x = draw();
    m.mean += x / count, squares += x * x / count;
    m.smallest = std::min(m.smallest, x), m.largest = std::max(m.largest, x);
  }
  m.variance = squares - m.mean * m.mean;
  return m;
}

TEST(Philox, DrawsItsDistributions) {
  Random random({.seed = 42});
  const Moments uniform = moments([&] { return random.uniform(); });
  EXPECT_NEAR(uniform.mean, 0.5, 0.003);
  EXPECT_NEAR(uniform.variance, 1.0 / 12, 0.001);
  EXPECT_GT(uniform.smallest, 0);
  EXPECT_LT(uniform.largest, 1);
  const Moments normal = moments([&] { return random.normal(); });
  EXPECT_NEAR(normal.mean, 0, 0.01);
  EXPECT_NEAR(normal.variance, 1, 0.015);
  for (const double shape : {0.4, 1.0, 7.5}) {
    const Moments gamma = moments([&] { return random.gamma(shape); });
    EXPECT_NEAR(gamma.mean, shape, 0.02 * std::max(1.0, shape));
    EXPECT_NEAR(gamma.variance, shape, 0.04 * std::max(1.0, shape));
  }
  const Moments beta = moments([&] { return random.beta(0.4, 0.4); });
  EXPECT_NEAR(beta.mean, 0.5, 0.005);
  EXPECT_NEAR(beta.variance, 0.4 * 0.4 / (0.8 * 0.8 * 1.8), 0.002);
}

TEST(Philox, PermutesEveryPlaceEverywhere) {
  Random random({.seed = 7});
  constexpr std::size_t n = 5, rounds = 20000;
  std::vector<int> visits(n * n);
  for (std::size_t i = 0; i < rounds; ++i) {
    std::vector<std::size_t> order(n), sorted(n);
    random.permutation(order);
    std::copy(order.begin(), order.end(), sorted.begin());
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t at = 0; at < n; ++at) {
      ASSERT_EQ(sorted[at], at);
      ++visits[at * n + order[at]];
    }
  }
  for (const int count : visits) EXPECT_NEAR(count, rounds / n, 300);
}

}  // namespace
}  // namespace pantanal
