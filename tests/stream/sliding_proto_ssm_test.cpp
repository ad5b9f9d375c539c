#include "pantanal/stream/sliding_proto_ssm.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "heads/random_state.hpp"

namespace pantanal::stream {
namespace {

heads::ProtoSsmConfig config() {
  heads::ProtoSsmConfig config;
  config.d_input = 20, config.d_model = 24, config.d_state = 4, config.n_classes = 5, config.n_windows = 6;
  config.n_ssm_layers = 2;
  return config;
}

heads::ProtoSsm model() {
  return *heads::ProtoSsm::create(heads::random_state(heads::required_tensors(config())), config(),
                                  {.threads = 1});
}

constexpr std::size_t windows = 15;

/// What a ProtoSsm says of window `at` in the run over windows [first, last).
std::vector<float> direct(const std::vector<float>& emb, const std::vector<float>& logits, std::size_t first,
                          std::size_t last, std::size_t at) {
  const std::size_t n = last - first;
  std::vector<float> species(n * 5);
  EXPECT_TRUE(
      model().run({std::span(emb).subspan(first * 20, n * 20), std::span(logits).subspan(first * 5, n * 5)},
                  1, n, {.species_logits = species}));
  return {species.begin() + static_cast<std::ptrdiff_t>((at - first) * 5),
          species.begin() + static_cast<std::ptrdiff_t>((at - first + 1) * 5)};
}

TEST(SlidingProtoSsm, SettlesEachWindowOnceInTheRunThatLagsBehindIt) {
  const auto emb = kernels::random_floats(windows * 20, 3, 1.0f),
             logits = kernels::random_floats(windows * 5, 4, 1.0f);
  for (const std::size_t lag : {0u, 2u, 5u}) {
    auto sliding = SlidingProtoSsm::create(model(), lag);
    ASSERT_TRUE(sliding);
    std::uint64_t settled = 0;
    const auto check = [&](const SettledWindow& window, std::size_t pushed) {
      ASSERT_EQ(window.index, settled++);
      const std::vector<float> found(window.species_logits.begin(), window.species_logits.end());
      EXPECT_EQ(found, direct(emb, logits, pushed < 6 ? 0 : pushed - 6, pushed,
                              static_cast<std::size_t>(window.index)));
    };
    for (std::size_t i = 0; i < windows; ++i) {
      const auto pushed =
          sliding->push(std::span(emb).subspan(i * 20, 20), std::span(logits).subspan(i * 5, 5));
      ASSERT_TRUE(pushed) << pushed.error().message();
      ASSERT_EQ(pushed->has_value(), i >= lag);
      if (*pushed) check(**pushed, i + 1);
    }
    for (auto rest = sliding->drain(); rest; rest = sliding->drain()) check(*rest, windows);
    EXPECT_EQ(settled, windows);
    sliding->reset();
    EXPECT_FALSE(sliding->drain());
  }
}

TEST(SlidingProtoSsm, RefusesAndGoesOn) {
  EXPECT_FALSE(SlidingProtoSsm::create(model(), 6));
  auto sliding = *SlidingProtoSsm::create(model(), 0);
  const auto emb = kernels::random_floats(20, 3, 1.0f), logits = kernels::random_floats(5, 4, 1.0f);
  EXPECT_FALSE(sliding.push(std::span(emb).first(19), logits));
  ASSERT_TRUE(sliding.push(emb, logits));
  EXPECT_FALSE(sliding.push(emb)) << "without logits, unlike before";
  auto poisoned = emb;
  poisoned[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(sliding.push(poisoned, logits));
  const auto second = sliding.push(emb, logits);
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->index, 1u);
}

TEST(SlidingProtoSsm, KnowsPlaceAndTimeOnceToldThem) {
  const auto emb = kernels::random_floats(20, 3, 1.0f);
  auto here = *SlidingProtoSsm::create(model(), 0), nowhere = *SlidingProtoSsm::create(model(), 0);
  here.set_site_and_hour(3, 17);
  const auto a = here.push(emb), b = nowhere.push(emb);
  ASSERT_TRUE(a && *a && b && *b);
  EXPECT_FALSE(std::ranges::equal((*a)->species_logits, (*b)->species_logits));
  here.set_site_and_hour(99, 17);
  EXPECT_FALSE(here.push(emb));
  here.set_site_and_hour(3, 17);
  const auto again = here.push(emb);
  ASSERT_TRUE(again && *again) << "begins anew";
  EXPECT_EQ((*again)->index, 0u);
}

}  // namespace
}  // namespace pantanal::stream
