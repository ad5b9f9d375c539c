#include "pantanal/stream/polyphase_converter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace pantanal::stream {
namespace {

struct Tone {
  double hz, amplitude, phase;
};

/// Ten tones up to `highest` Hz, of amplitudes that sum up to less than 1.
std::vector<Tone> tones(double highest, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<Tone> drawn(10);
  for (Tone& tone : drawn)
    tone = {highest * uniform(random), 0.1 * uniform(random), 2 * std::numbers::pi * uniform(random)};
  return drawn;
}

double value(const std::vector<Tone>& sound, double seconds) {
  double sum = 0;
  for (const Tone& tone : sound)
    sum += tone.amplitude * std::sin(2 * std::numbers::pi * tone.hz * seconds + tone.phase);
  return sum;
}

std::vector<float> sampled(const std::vector<Tone>& sound, std::uint32_t rate, std::size_t count) {
  std::vector<float> samples(count);
  for (std::size_t t = 0; t < count; ++t)
    samples[t] = static_cast<float>(value(sound, static_cast<double>(t) / rate));
  return samples;
}

/// `in` at another rate, pushed in blocks of 1 to `largest`, with room for 1 to `largest`.
std::vector<float> converted(RateConverter& converter, std::span<const float> in, std::size_t count,
                             std::size_t largest) {
  std::mt19937 random(5);
  std::uniform_int_distribution<std::size_t> size(1, largest);
  std::vector<float> out(count);
  std::size_t used = 0, made = 0;
  while (used < in.size() && made < count) {
    const auto progress =
        converter.convert(in.subspan(used, std::min(size(random), in.size() - used)),
                          std::span(out).subspan(made, std::min(size(random), count - made)));
    EXPECT_TRUE(progress);
    EXPECT_GT(progress->used + progress->made, 0u);
    used += progress->used, made += progress->made;
  }
  while (made < count) {
    const auto drained = converter.drain(std::span(out).subspan(made));
    if (!drained || *drained == 0) break;
    made += *drained;
  }
  EXPECT_EQ(made, count);
  return out;
}

// Frames t of one rate and t * to / from of the other are the same moment; what both rates hold is kept.
TEST(PolyphaseConverter, GivesTheSameSoundAtAnotherRate) {
  struct Case {
    std::uint32_t from, to;
  };
  for (const auto& [from, to] : {Case{48000, 32000},
                                 {44100, 32000},
                                 {16000, 32000},
                                 {22050, 32000},
                                 {96000, 32000},
                                 {384000, 32000},
                                 {44099, 32000},
                                 {31991, 32000},
                                 {8000, 32000},
                                 {32000, 44100},
                                 {192001, 32000}}) {
    SCOPED_TRACE(std::to_string(from) + " to " + std::to_string(to));
    const std::vector<Tone> sound = tones(0.45 * std::min(from, to), from);
    const std::size_t frames = from / 4, count = frames * std::uint64_t{to} / from;
    auto converter = *PolyphaseConverter::create(from, to);
    const std::vector<float> out = converted(*converter, sampled(sound, from, frames), count, 5000);
    double worst = 0;  // where the filter is within the sound
    for (std::size_t t = count / 4; t < count * 3 / 4; ++t)
      worst = std::max(worst, std::abs(out[t] - value(sound, static_cast<double>(t) / to)));
    EXPECT_LT(worst, 3e-6);
  }
}

TEST(PolyphaseConverter, SilencesWhatTheLowerRateCannotHold) {
  for (const double hz : {16001.0, 16500.0, 20000.0, 23999.0}) {
    auto converter = *PolyphaseConverter::create(48000, 32000);
    const std::vector<float> out = converted(*converter, sampled({{hz, 1, 0}}, 48000, 24000), 16000, 4096);
    double worst = 0;
    for (std::size_t t = 4000; t < 12000; ++t) worst = std::max(worst, std::abs(double{out[t]}));
    EXPECT_LT(worst, 2e-6) << hz << " Hz";
  }
}

TEST(PolyphaseConverter, GivesTheSameBitsHoweverItIsAsked) {
  const std::vector<float> in = sampled(tones(10000, 1), 44100, 20000);
  const std::size_t count = in.size() * 320 / 441;
  const auto all = [&](std::size_t largest) {
    auto converter = *PolyphaseConverter::create(44100, 32000);
    return converted(*converter, in, count, largest);
  };
  const std::vector<float> whole = all(1 << 20);
  EXPECT_EQ(all(1), whole);
  EXPECT_EQ(all(777), whole);
}

TEST(PolyphaseConverter, HoldsNoMoreThanItsFilterAndEnds) {
  auto converter = *PolyphaseConverter::create(48000, 32000);
  std::vector<float> out(100000);
  auto progress = converter->convert(std::vector<float>(3000, 0.5f), out);
  ASSERT_TRUE(progress);
  EXPECT_EQ(progress->used, 3000u);
  EXPECT_GT(progress->made, 1850u);
  EXPECT_NEAR(out[1000], 0.5f, 1e-6f);
  const auto rest = converter->drain(out);
  ASSERT_TRUE(rest);
  EXPECT_GE(progress->made + *rest, 2000u);
  EXPECT_LT(progress->made + *rest, 2200u);
  EXPECT_EQ(*converter->drain(out), 0u);
}

TEST(PolyphaseConverter, RefusesRatesOutOfBounds) {
  EXPECT_FALSE(PolyphaseConverter::create(0, 32000));
  EXPECT_FALSE(PolyphaseConverter::create(48000, 20'000'000));
  EXPECT_FALSE(PolyphaseConverter::create(10'000'000, 100));
}

}  // namespace
}  // namespace pantanal::stream
