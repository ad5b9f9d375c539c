#include "pantanal/audio/load_audio.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "audio/audio_files.hpp"
#include "core/refused.hpp"

namespace pantanal::audio {
namespace {

TEST(LoadAudio, IsTheFileItselfAtItsOwnRate) {
  const auto samples = load_audio(golden("pcm16.wav"), 22050);
  ASSERT_TRUE(succeeded(samples));
  EXPECT_EQ(*samples, golden_samples("pcm16.f32"));
}

TEST(LoadAudio, MixesAndResamples) {
  const auto samples = load_audio(golden("vorbis_44100_stereo.ogg"));
  ASSERT_TRUE(succeeded(samples));
  EXPECT_EQ(samples->size(), resampled_length(8000, 44100, 32000));
  auto opened = open_audio(golden("vorbis_44100_stereo.ogg"));
  auto source = resample(to_mono(*std::move(opened)), 32000);
  EXPECT_EQ(*samples, hear(**source, 123).samples);
}

TEST(LoadAudio, LoadsMoreThanItsBlocks) {
  const TemporaryFolder folder;
  std::vector<float> ramp(200'000);
  for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<float>(i) / 1e6f;
  const auto samples = load_audio(write(folder, "long.wav", float_wav(ramp)));
  ASSERT_TRUE(succeeded(samples));
  EXPECT_EQ(*samples, ramp);
}

TEST(LoadAudio, RefusesEmptyRecordings) {
  const TemporaryFolder folder;
  EXPECT_TRUE(refused(load_audio(write(folder, "empty.wav", wav_file({}, {}))), ErrorCode::corrupt,
                      {"empty.wav", "WAV, 16-bit PCM without a single sample"}));
  EXPECT_TRUE(refused(load_audio(write(folder, "one.wav", float_wav(std::vector<float>(1, 0.5f), 192000))),
                      ErrorCode::corrupt,
                      {"one.wav", "of 1 sample at 192000 Hz, less than half a sample at 32000 Hz"}));
  EXPECT_TRUE(
      succeeded(load_audio(write(folder, "three.wav", float_wav(std::vector<float>(3, 0.5f), 192000)))));
}

TEST(LoadAudio, RefusesDamagedRecordingsWhole) {
  const TemporaryFolder folder;
  EXPECT_TRUE(refused(load_audio(write(folder, "cut.wav", riff({fmt_chunk(), data_chunk(1000, Bytes(500))}))),
                      ErrorCode::corrupt, {"cut.wav", "cut short"}));
  std::vector<float> samples(100, 0.5f);
  samples[60] = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(refused(load_audio(write(folder, "inf.wav", float_wav(samples, 48000))), ErrorCode::corrupt,
                      {"inf.wav", "inf at frame 60, channel 0"}));
}

TEST(LoadAudio, PassesOnWhyAFileDoesNotOpen) {
  EXPECT_TRUE(refused(load_audio("/nowhere/f.wav"), ErrorCode::not_found, {"/nowhere/f.wav"}));
  EXPECT_TRUE(refused(load_audio(golden("opus.ogg")), ErrorCode::unsupported, {"Opus"}));
  EXPECT_TRUE(refused(load_audio(golden("pcm16.wav"), 0), ErrorCode::invalid_argument, {"0 Hz"}));
}

}  // namespace
}  // namespace pantanal::audio
