#include "pantanal/audio/source.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "audio/audio_files.hpp"
#include "core/refused.hpp"

namespace pantanal::audio {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN(),
                infinity = std::numeric_limits<float>::infinity();

std::vector<float> ramp(std::size_t count) {
  std::vector<float> samples(count);
  for (std::size_t i = 0; i < count; ++i) samples[i] = static_cast<float>(i) / 4096;
  return samples;
}

TEST(Source, FillsWhatItIsGivenUpToTheEnd) {
  MemorySource source(ramp(1000), 8000);
  std::array<float, 700> block;
  EXPECT_EQ(*source.read(block), 700u);
  EXPECT_EQ(source.frames_read(), 700u);
  EXPECT_EQ(*source.read(block), 300u);
  EXPECT_EQ(block[299], 999.0f / 4096);
  EXPECT_EQ(*source.read(block), 0u);
  EXPECT_EQ(*source.read(block), 0u);
  EXPECT_EQ(source.frames_read(), 1000u);
}

TEST(Source, ReadsWholeFramesOnly) {
  MemorySource source(ramp(30), 8000, 3);
  std::array<float, 8> block = {9, 9, 9, 9, 9, 9, 9, 9};
  EXPECT_EQ(*source.read(block), 2u);
  EXPECT_EQ(block[6], 9);
  EXPECT_EQ(*source.read(block), 2u);
  EXPECT_EQ(block[0], 6.0f / 4096);
}

TEST(Source, RefusesRoomForLessThanAFrame) {
  MemorySource source(ramp(30), 8000, 3);
  std::array<float, 2> block;
  EXPECT_TRUE(refused(source.read(block), ErrorCode::invalid_argument, {"less than a frame"}));
}

TEST(Source, DeliversWhatIsBeforeTheDamageAndThenTheErrorForever) {
  const Error damage{ErrorCode::corrupt, "memory", "a scratch", "none"};
  MemorySource source(ramp(400), 8000, 1, damage);
  std::array<float, 1000> block;
  EXPECT_EQ(*source.read(block), 400u);
  EXPECT_TRUE(refused(source.read(block), ErrorCode::corrupt, {"a scratch"}));
  EXPECT_TRUE(refused(source.read(block), ErrorCode::corrupt, {"a scratch"}));
}

TEST(Source, BreaksAtTheFirstSampleThatIsNoNumber) {
  for (const float bad : {nan, infinity, -infinity, 2e15f, -2e15f}) {
    std::vector<float> samples = ramp(1000);
    samples[701] = bad;
    samples[800] = nan;
    MemorySource source(samples, 8000, 2);
    const Heard heard = hear(source, 64);
    EXPECT_EQ(heard.frames(), 350u);
    ASSERT_TRUE(heard.error);
    EXPECT_NE(heard.error->message().find("at frame 350, channel 1"), std::string::npos)
        << heard.error->message();
    EXPECT_EQ(heard.error->code, ErrorCode::corrupt);
  }
}

TEST(Source, PassesExtremeButFiniteSamples) {
  MemorySource source({1e15f, -1e15f, 1e-45f, 0.0f, -0.0f}, 8000);
  EXPECT_EQ(hear(source).frames(), 5u);
}

TEST(CheckFormat, RefusesWhatOnlyADamagedHeaderStates) {
  const auto status = [](std::uint32_t rate, std::uint32_t channels) {
    return check_format(
        {.name = "x.wav", .encoding = "", .sample_rate = rate, .channels = channels, .frames = {}});
  };
  EXPECT_TRUE(succeeded(status(100, 1)));
  EXPECT_TRUE(succeeded(status(10'000'000, 256)));
  EXPECT_TRUE(refused(status(32000, 0), ErrorCode::corrupt, {"x.wav", "0 channels"}));
  EXPECT_TRUE(refused(status(32000, 257), ErrorCode::corrupt, {"257 channels", "1 to 256"}));
  EXPECT_TRUE(refused(status(99, 1), ErrorCode::corrupt, {"99 Hz"}));
  EXPECT_TRUE(refused(status(0, 1), ErrorCode::corrupt, {"0 Hz"}));
  EXPECT_TRUE(refused(status(0xffffffff, 1), ErrorCode::corrupt, {"4294967295 Hz", "10000000 Hz"}));
}

}  // namespace
}  // namespace pantanal::audio
