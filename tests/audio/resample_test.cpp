#include "pantanal/audio/resample.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "audio/audio_files.hpp"
#include "core/refused.hpp"

namespace pantanal::audio {
namespace {

constexpr double pi = std::numbers::pi;

std::vector<float> sine(double frequency, std::uint32_t rate, std::size_t count, double phase = 0.3) {
  std::vector<float> samples(count);
  for (std::size_t t = 0; t < count; ++t)
    samples[t] =
        static_cast<float>(0.5 * std::sin(2 * pi * frequency * static_cast<double>(t) / rate + phase));
  return samples;
}

Heard resampled(std::vector<float> samples, std::uint32_t from, std::uint32_t to, std::size_t block = 1000,
                std::uint32_t channels = 1, std::optional<Error> end = {}) {
  auto source =
      resample(std::make_unique<MemorySource>(std::move(samples), from, channels, std::move(end)), to);
  EXPECT_TRUE(succeeded(source));
  return hear(**source, block);
}

/// Samples away from the ends, where the filter sees the silence around a recording.
std::span<const float> inside(std::span<const float> samples) {
  return samples.subspan(1500, samples.size() - 3000);
}

double peak_of(std::span<const float> samples) {
  double peak = 0;
  for (const float x : samples) peak = std::max(peak, std::fabs(static_cast<double>(x)));
  return peak;
}

/// How samples differ from a sine: by a factor, in decibels, by an angle, and by what is left then.
struct SineError {
  double gain_db = 0, phase = 0, rest = 0;
};

/// The combination of a sine and the cosine of its frequency that comes nearest to the samples, by least
/// squares.
SineError compare(std::span<const float> samples, std::span<const float> sine,
                  std::span<const float> cosine) {
  const auto product = [](std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t t = 0; t < a.size(); ++t) sum += static_cast<double>(a[t]) * static_cast<double>(b[t]);
    return sum;
  };
  const double ss = product(sine, sine), sc = product(sine, cosine), cc = product(cosine, cosine);
  const double xs = product(samples, sine), xc = product(samples, cosine), determinant = ss * cc - sc * sc;
  const double along = (xs * cc - xc * sc) / determinant, across = (xc * ss - xs * sc) / determinant;
  SineError error{
      .gain_db = 20 * std::log10(std::hypot(along, across)), .phase = std::atan2(across, along), .rest = 0};
  for (std::size_t t = 0; t < samples.size(); ++t)
    error.rest = std::max(error.rest,
                          std::fabs(static_cast<double>(samples[t]) - along * static_cast<double>(sine[t]) -
                                    across * static_cast<double>(cosine[t])));
  return error;
}

TEST(ResampledLength, IsRounded) {
  EXPECT_EQ(resampled_length(48000, 48000, 32000), 32000u);
  EXPECT_EQ(resampled_length(1, 48000, 32000), 1u);
  EXPECT_EQ(resampled_length(1, 44100, 32000), 1u);
  EXPECT_EQ(resampled_length(2, 48000, 32000), 1u);
  EXPECT_EQ(resampled_length(1, 64000, 32000), 1u);  // a half goes up
  EXPECT_EQ(resampled_length(0, 44100, 32000), 0u);
  EXPECT_EQ(resampled_length(95999, 48000, 32000), 63999u);
  EXPECT_EQ(resampled_length(std::uint64_t{10'000'000} * 1'000'000'000, 10'000'000, 32000),
            32'000'000'000'000u);
}

class ResampleRates : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(ResampleRates, KeepsSinesOfThePassBand) {
  const std::uint32_t from = GetParam(), to = 32000;
  const double nyquist = std::min(from, to) / 2.0;
  for (const double part : {0.01, 0.1, 0.33, 0.5, 0.75, 0.9}) {
    const Heard heard = resampled(sine(part * nyquist, from, from), from, to);
    ASSERT_EQ(heard.samples.size(), to);
    const std::vector<float> same = sine(part * nyquist, to, to),
                             quarter = sine(part * nyquist, to, to, 0.3 + pi / 2);
    const SineError error = compare(inside(heard.samples), inside(same), inside(quarter));
    EXPECT_LT(std::fabs(error.gain_db), 0.01) << part * nyquist << " Hz";
    EXPECT_LT(std::fabs(error.phase), 1e-4) << part * nyquist << " Hz";
    EXPECT_LT(error.rest, 1e-5) << part * nyquist << " Hz";  // -94 dB of the amplitude
  }
}

TEST_P(ResampleRates, GivesTheSameFramesInAnyBlocks) {
  const std::uint32_t from = GetParam();
  const std::vector<float> samples = sine(0.2 * from, from, 20'000);
  const std::vector<float> expected = resampled(samples, from, 32000, 100'000).samples;
  for (const std::size_t block : {1u, 7u, 1000u, 4096u})
    EXPECT_EQ(resampled(samples, from, 32000, block).samples, expected);
}

TEST_P(ResampleRates, GivesTheExactNumberOfFrames) {
  const std::uint32_t from = GetParam();
  for (const std::size_t count :
       {1u, 2u, 3u, 10u, 99u, 100u, 101u, 999u, 4095u, 4096u, 4097u, 9999u, 30'011u}) {
    auto source = resample(std::make_unique<MemorySource>(std::vector<float>(count, 0.25f), from), 32000);
    ASSERT_TRUE(succeeded(source));
    const std::uint64_t length = resampled_length(count, from, 32000);
    EXPECT_EQ((*source)->format().frames, length);
    EXPECT_EQ((*source)->format().sample_rate, 32000u);
    const Heard heard = hear(**source);
    EXPECT_FALSE(heard.error) << heard.error->message();
    EXPECT_EQ(heard.samples.size(), length) << count;
  }
}

INSTANTIATE_TEST_SUITE_P(All, ResampleRates,
                         ::testing::Values(8000u, 16000u, 22050u, 24000u, 31999u, 44100u, 48000u, 96000u,
                                           192000u, 250000u, 384000u));

class HigherRates : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(HigherRates, StopsSinesAboveNyquist) {
  const std::uint32_t from = GetParam(), to = 32000;
  for (const double part : {1.001, 1.1, 1.3, 1.49}) {
    const double frequency = part * to / 2.0;
    if (frequency >= from / 2.0) continue;
    const Heard heard = resampled(sine(frequency, from, from), from, to);
    EXPECT_LT(peak_of(inside(heard.samples)), 5e-6) << frequency << " Hz";  // -100 dB of the amplitude
  }
}

INSTANTIATE_TEST_SUITE_P(All, HigherRates,
                         ::testing::Values(44100u, 48000u, 96000u, 192000u, 250000u, 384000u));

TEST(Resample, PassesItsOwnRateThroughBitForBit) {
  auto source = std::make_unique<MemorySource>(std::vector<float>{1, -0.0f, 1e-40f}, 32000);
  const Source* const itself = source.get();
  EXPECT_EQ((*resample(std::move(source), 32000)).get(), itself);
}

TEST(Resample, KeepsMomentsWhereTheyAre) {
  std::vector<float> click(48000);
  click[24000] = 1;
  const Heard heard = resampled(click, 48000, 32000);
  const auto peak = std::max_element(heard.samples.begin(), heard.samples.end());
  EXPECT_EQ(peak - heard.samples.begin(), 16000);
  EXPECT_NEAR(heard.samples[15999], heard.samples[16001], 1e-6);  // linear phase
}

TEST(Resample, KeepsChannelsApart) {
  std::vector<float> samples;
  const std::vector<float> left = sine(500, 16000, 8000), right = sine(900, 16000, 8000);
  for (std::size_t t = 0; t < left.size(); ++t) samples.insert(samples.end(), {left[t], right[t]});
  const std::vector<float> both = resampled(samples, 16000, 32000, 1000, 2).samples;
  const std::vector<float> left_only = resampled(left, 16000, 32000).samples;
  const std::vector<float> right_only = resampled(right, 16000, 32000).samples;
  ASSERT_EQ(both.size(), 2 * left_only.size());
  for (std::size_t t = 0; t < left_only.size(); ++t) {
    ASSERT_EQ(both[2 * t], left_only[t]);
    ASSERT_EQ(both[2 * t + 1], right_only[t]);
  }
}

TEST(Resample, DeliversWhatIsBeforeTheDamage) {
  const Error damage{ErrorCode::corrupt, "memory", "a scratch", "none"};
  const std::vector<float> samples = sine(440, 48000, 30'000);
  const Heard whole = resampled(samples, 48000, 32000);
  const Heard broken = resampled(samples, 48000, 32000, 1000, 1, damage);
  EXPECT_EQ(broken.samples, whole.samples);
  ASSERT_TRUE(broken.error);
  EXPECT_EQ(broken.error->found, "a scratch");
}

TEST(Resample, OfNothingIsNothing) {
  const Heard heard = resampled({}, 48000, 32000);
  EXPECT_FALSE(heard.error);
  EXPECT_TRUE(heard.samples.empty());
}

TEST(Resample, RefusesAbsurdRates) {
  const auto at = [](std::uint32_t rate) {
    return resample(std::make_unique<MemorySource>(std::vector<float>(10), 8000), rate);
  };
  EXPECT_TRUE(refused(at(0), ErrorCode::invalid_argument, {"0 Hz"}));
  EXPECT_TRUE(refused(at(4'000'000'000), ErrorCode::invalid_argument, {"4000000000 Hz"}));
}

TEST(Resample, WorksBetweenTheExtremeRates) {
  EXPECT_EQ(resampled(std::vector<float>(1'000'000, 0.5f), highest_rate, 32000).samples.size(), 3200u);
  EXPECT_EQ(resampled(std::vector<float>(100, 0.5f), lowest_rate, 32000).samples.size(), 32000u);
}

}  // namespace
}  // namespace pantanal::audio
