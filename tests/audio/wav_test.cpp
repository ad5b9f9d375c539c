#include "pantanal/audio/wav.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "audio/audio_files.hpp"
#include "core/refused.hpp"

namespace pantanal::audio {
namespace {

std::vector<float> decoded(const Bytes& bytes, WavSample sample, std::size_t count) {
  std::vector<float> out(count);
  decode_wav_samples(bytes.data(), sample, count, out.data());
  return out;
}

TEST(DecodeWavSamples, ScalesIntegersToFullScale) {
  EXPECT_EQ(decoded({0, 1, 128, 255}, WavSample::unsigned8, 4),
            (std::vector<float>{-1, -127 / 128.f, 0, 127 / 128.f}));
  EXPECT_EQ(decoded({0, 0x80, 0xff, 0x7f, 0xff, 0xff, 1, 0}, WavSample::signed16, 4),
            (std::vector<float>{-1, 32767 / 32768.f, -1 / 32768.f, 1 / 32768.f}));
  EXPECT_EQ(decoded({0, 0, 0x80, 0xff, 0xff, 0x7f, 1, 0, 0}, WavSample::signed24, 3),
            (std::vector<float>{-1, 8388607 / 8388608.f, 1 / 8388608.f}));
  EXPECT_EQ(decoded({0, 0, 0, 0x80, 0, 0, 0, 0x40, 1, 0, 0, 0}, WavSample::signed32, 3),
            (std::vector<float>{-1, 0.5f, 0x1p-31f}));
}

TEST(DecodeWavSamples, KeepsFloats) {
  Bytes bytes;
  put(bytes, std::bit_cast<std::uint32_t>(-3.25f));
  EXPECT_EQ(decoded(bytes, WavSample::float32, 1), (std::vector<float>{-3.25f}));
  bytes.clear();
  put(bytes, std::bit_cast<std::uint64_t>(0.1));
  put(bytes, std::bit_cast<std::uint64_t>(1e300));
  EXPECT_EQ(decoded(bytes, WavSample::float64, 2),
            (std::vector<float>{0.1f, std::numeric_limits<float>::infinity()}));
}

class GoldenWav : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenWav, IsWhatLibsndfileReads) {
  const std::string name = GetParam();
  const Heard heard = hear(golden(name + ".wav"));
  ASSERT_FALSE(heard.error) << heard.error->message();
  EXPECT_EQ(heard.samples, golden_samples(name + ".f32"));
  EXPECT_EQ(heard.format.frames, heard.frames());
  EXPECT_EQ(hear(golden(name + ".wav"), 1).samples, heard.samples);
  EXPECT_EQ(hear(golden(name + ".wav"), 7).samples, heard.samples);
}

INSTANTIATE_TEST_SUITE_P(All, GoldenWav,
                         ::testing::Values("pcm8", "pcm16", "pcm16_stereo", "pcm24", "pcm32", "float32",
                                           "float64", "extensible_pcm24", "extensible_float32", "rf64",
                                           "chunks"),
                         [](const auto& instance) { return std::string(instance.param); });

TEST(WavSource, TellsItsFormat) {
  const auto source = open_audio(golden("pcm24.wav"));
  ASSERT_TRUE(succeeded(source));
  const Format& format = (*source)->format();
  EXPECT_EQ(format.encoding, "WAV, 24-bit PCM");
  EXPECT_EQ(format.sample_rate, 22050u);
  EXPECT_EQ(format.channels, 5u);
  EXPECT_EQ(format.frames, 61u);
  EXPECT_TRUE(format.name.ends_with("pcm24.wav"));
}

TEST(WavSource, ReadsAcrossItsBlocks) {
  const TemporaryFolder folder;
  std::vector<float> samples(100'000);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = std::sin(static_cast<float>(i));
  const auto path = write(folder, "long.wav", float_wav(samples, 32000, 2));
  EXPECT_EQ(hear(path, 333).samples, samples);
  EXPECT_EQ(hear(path, 60'000).samples, samples);
}

TEST(WavSource, DeliversACutFileAndSaysSo) {
  const TemporaryFolder folder;
  const Bytes whole = bytes_of(golden("pcm16_stereo.wav"));
  const std::vector<float> expected = golden_samples("pcm16_stereo.f32");
  for (std::size_t length = 44; length < whole.size(); ++length) {
    const auto path = write(folder, "cut.wav", std::span(whole).first(length));
    const Heard heard = hear(path);
    const std::size_t frames = (length - 44) / 4;
    EXPECT_EQ(heard.samples, std::vector<float>(expected.begin(),
                                                expected.begin() + static_cast<std::ptrdiff_t>(2 * frames)));
    ASSERT_TRUE(heard.error) << length;
    const std::string message = heard.error->message();
    EXPECT_NE(message.find("cut short"), message.npos) << message;
    EXPECT_NE(message.find("states 244 bytes and has " + std::to_string(length - 44)), message.npos)
        << message;
    EXPECT_EQ(heard.format.frames, 61u);
  }
}

TEST(WavSource, LeavesOutAFractionOfAFrame) {
  const TemporaryFolder folder;
  const FmtSpec stereo = {.channels = 2};
  const Heard stated = hear(write(folder, "a.wav", wav_file(stereo, Bytes(11))));
  EXPECT_FALSE(stated.error);
  EXPECT_EQ(stated.frames(), 2u);
  const Heard open_ended =
      hear(write(folder, "b.wav", riff({fmt_chunk(stereo), data_chunk(0xffffffff, Bytes(11))})));
  EXPECT_FALSE(open_ended.error);
  EXPECT_EQ(open_ended.frames(), 2u);
}

TEST(WavSource, EndsWithItsDataChunk) {
  const TemporaryFolder folder;
  const auto path =
      write(folder, "f.wav", riff({fmt_chunk(), chunk("data", Bytes(6)), chunk("LIST", Bytes(500, 1))}));
  const Heard heard = hear(path);
  EXPECT_FALSE(heard.error);
  EXPECT_EQ(heard.samples, std::vector<float>(3, 0.0f));
}

TEST(WavSource, NamesTheFirstSampleThatIsNoNumber) {
  const TemporaryFolder folder;
  std::vector<float> samples(50'000, 0.5f);
  samples[40'001] = std::numeric_limits<float>::quiet_NaN();
  samples[40'002] = std::numeric_limits<float>::infinity();
  const Heard heard = hear(write(folder, "nan.wav", float_wav(samples, 32000, 2)));
  EXPECT_EQ(heard.frames(), 20'000u);
  ASSERT_TRUE(heard.error);
  EXPECT_NE(heard.error->message().find("nan at frame 20000, channel 1"), std::string::npos)
      << heard.error->message();
}

TEST(WavSource, RefusesAbsurdRatesAndChannels) {
  const TemporaryFolder folder;
  const auto opened = [&folder](const FmtSpec& fmt) {
    return open_audio(write(folder, "f.wav", wav_file(fmt, Bytes(2000))));
  };
  EXPECT_TRUE(refused(opened({.sample_rate = 0}), ErrorCode::corrupt, {"0 Hz"}));
  EXPECT_TRUE(refused(opened({.sample_rate = 0x7d007d00}), ErrorCode::corrupt, {"2097184000 Hz"}));
  EXPECT_TRUE(refused(opened({.channels = 300}), ErrorCode::corrupt, {"300 channels"}));
  EXPECT_TRUE(succeeded(opened({.channels = 256, .sample_rate = 500'000})));
}

TEST(WavSource, BelievesNoSizeThatTheFileDoesNotHave) {
  const TemporaryFolder folder;
  Bytes sizes;
  put(sizes, ~std::uint64_t{0} - 100);
  put(sizes, ~std::uint64_t{0} - 100);
  sizes.resize(28);
  const auto path =
      write(folder, "huge.wav",
            riff({chunk("ds64", sizes), fmt_chunk(), data_chunk(0xffffffff, Bytes(20))}, 0xffffffff, "RF64"));
  const Heard heard = hear(path);
  EXPECT_EQ(heard.frames(), 10u);
  ASSERT_TRUE(heard.error);
  EXPECT_EQ(heard.error->code, ErrorCode::corrupt);
}

}  // namespace
}  // namespace pantanal::audio
