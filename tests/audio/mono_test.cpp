#include "pantanal/audio/mono.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "audio/audio_files.hpp"

namespace pantanal::audio {
namespace {

TEST(MixToMono, IsTheMeanOfTheChannels) {
  const std::vector<float> interleaved = {1, 2, 6, -1, 0, 1, 0.25f, 0.5f, 0};
  std::vector<float> mono(3);
  mix_to_mono(interleaved, 3, mono);
  EXPECT_EQ(mono, (std::vector<float>{3, 0, 0.25f}));
  std::vector<float> same(9);
  mix_to_mono(interleaved, 1, same);
  EXPECT_EQ(same, interleaved);
}

TEST(MixToMono, NeitherOverflowsNorRoundsBetweenChannels) {
  const float huge = std::numeric_limits<float>::max();
  std::vector<float> mono(1);
  mix_to_mono(std::vector<float>{huge, huge, huge}, 3, mono);
  EXPECT_EQ(mono[0], huge);
  mix_to_mono(std::vector<float>{1e15f, 1.0f, -1e15f, 2.0f}, 4, mono);
  EXPECT_EQ(mono[0], 0.75f);
}

TEST(MonoSource, MixesAFileAsItStreams) {
  const std::vector<float> five = golden_samples("vorbis_48000_five.f32");
  auto opened = open_audio(golden("vorbis_48000_five.ogg"));
  const std::unique_ptr<Source> source = to_mono(*std::move(opened));
  EXPECT_EQ(source->format().channels, 1u);
  EXPECT_EQ(source->format().sample_rate, 48000u);
  EXPECT_EQ(source->format().frames, 2400u);
  const Heard heard = hear(*source, 77);
  EXPECT_FALSE(heard.error);
  ASSERT_EQ(heard.samples.size(), 2400u);
  for (std::size_t t = 0; t < 2400; ++t) {
    double sum = 0;
    for (std::size_t c = 0; c < 5; ++c) sum += static_cast<double>(five[5 * t + c]);
    ASSERT_NEAR(heard.samples[t], sum / 5, 1e-6) << t;
  }
}

TEST(MonoSource, IsTheSourceItselfIfThatIsMono) {
  auto source = std::make_unique<MemorySource>(std::vector<float>(10), 8000);
  const Source* const itself = source.get();
  EXPECT_EQ(to_mono(std::move(source)).get(), itself);
}

TEST(MonoSource, BreaksWhereItsSourceDoes) {
  const Error damage{ErrorCode::corrupt, "memory", "a scratch", "none"};
  const auto source =
      to_mono(std::make_unique<MemorySource>(std::vector<float>(10'000, 1.0f), 8000, 2, damage));
  const Heard heard = hear(*source);
  EXPECT_EQ(heard.samples, std::vector<float>(5000, 1.0f));
  ASSERT_TRUE(heard.error);
  EXPECT_EQ(heard.error->found, "a scratch");
}

}  // namespace
}  // namespace pantanal::audio
