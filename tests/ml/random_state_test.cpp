#include "pantanal/ml/random_state.hpp"

#include "ml/fixtures.hpp"

namespace pantanal::ml {
namespace {

TEST(RandomState, DrawsWhatNumPyDraws) {
  const FixtureCase c = load_cases("stream").at(0);
  RandomState random(42);
  for (const double expected : c.vector("sample")) ASSERT_EQ(random.random_sample(), expected);
  for (const double expected : c.vector("uniform")) ASSERT_EQ(random.uniform(-2, 3), expected);
  for (const double expected : c.vector("normal")) ASSERT_NEAR(random.standard_normal(), expected, 1e-15);
  EXPECT_EQ(signed_copy(random.permutation(100)), c.integers.at("permutation"));
  for (const std::int64_t expected : c.integers.at("randint"))
    ASSERT_EQ(random.randint(-5, std::int64_t{1} << 40), expected);
  EXPECT_EQ(signed_copy(random.choice(30, 7, false)), c.integers.at("choice"));
  EXPECT_EQ(signed_copy(random.choice(30, 7)), c.integers.at("replaced"));
}

TEST(RandomState, IntervalNeverExceedsItsMaximum) {
  RandomState random(1);
  EXPECT_EQ(random.interval(0), 0u);
  for (const std::uint64_t max : {1ull, 2ull, 5ull, 0xffffffffull, 0x100000000ull, ~0ull})
    for (int i = 0; i < 200; ++i) EXPECT_LE(random.interval(max), max);
}

}  // namespace
}  // namespace pantanal::ml
