#include "pantanal/audio/vorbis_decoder.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <thread>

#include "audio/audio_files.hpp"
#include "audio/random_vorbis.hpp"
#include "audio/vorbis_writer.hpp"
#include "core/refused.hpp"

namespace pantanal::audio {
namespace {

/// Decodes all audio packets; the samples, or the first error.
Result<std::vector<float>> decode_all(VorbisDecoder& decoder, std::span<const Bytes> packets) {
  std::vector<float> samples;
  for (const Bytes& packet : packets) {
    PANTANAL_TRY(const auto block, read_vorbis_block(packet, decoder.info(), "f.ogg"));
    if (block) PANTANAL_TRY_STATUS(decoder.decode(packet, *block, samples));
  }
  return samples;
}

Result<VorbisDecoder> open(const std::vector<Bytes>& packets) {
  return VorbisDecoder::open(packets[0], packets[2], "f.ogg");
}

TEST(VorbisDecoder, DecodesAsLibsndfileDoes) {
  const auto packets = ogg_packets(bytes_of(golden("vorbis_22050_stereo.ogg")));
  const std::vector<float> expected = golden_samples("vorbis_22050_stereo.f32");
  auto decoder = open(packets);
  ASSERT_TRUE(succeeded(decoder));
  EXPECT_EQ(decoder->info().channels, 2u);
  const auto samples = decode_all(*decoder, std::span(packets).subspan(3));
  ASSERT_TRUE(succeeded(samples));
  ASSERT_GE(samples->size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR((*samples)[i], expected[i], 1e-6) << i;
}

TEST(VorbisDecoder, TellsTheShapeOfBlocks) {
  const auto packets = ogg_packets(bytes_of(golden("vorbis_32000.ogg")));
  const auto decoder = open(packets);
  ASSERT_TRUE(succeeded(decoder));
  std::size_t shorts = 0, longs = 0;
  for (const Bytes& packet : std::span(packets).subspan(3)) {
    const auto block = read_vorbis_block(packet, decoder->info(), "f.ogg");
    ASSERT_TRUE(succeeded(block) && *block);
    EXPECT_EQ((*block)->size, (*block)->kind ? 2048u : 256u);
    EXPECT_EQ((*block)->left(decoder->info()), (*block)->kind == 1 && (*block)->previous == 0 ? 448u : 0u);
    ((*block)->kind ? longs : shorts) += 1;
  }
  EXPECT_GT(shorts, 3u);
  EXPECT_GT(longs, 3u);
}

TEST(VorbisBlock, IsAbsentFromPacketsThatAreNoAudio) {
  const VorbisInfo info{
      .channels = 1, .sample_rate = 8000, .block_sizes = {256, 2048}, .mode_blocks = {0, 1, 1}};
  EXPECT_FALSE(*read_vorbis_block({}, info, "f.ogg"));
  EXPECT_FALSE(*read_vorbis_block(Bytes{0x01}, info, "f.ogg"));
  EXPECT_FALSE(*read_vorbis_block(comment_packet(), info, "f.ogg"));
  EXPECT_EQ((*read_vorbis_block(Bytes{0b10100}, info, "f.ogg"))->next, 1);
  EXPECT_TRUE(refused(read_vorbis_block(Bytes{0b110}, info, "f.ogg"), ErrorCode::corrupt, {"mode 3"}));
}

TEST(VorbisDecoder, TakesPacketsLongerThanAPage) {
  SetupSpec setup;
  for (int i = 0; i < 60; ++i) setup.codebooks.push_back({.lengths = std::vector<std::uint8_t>(2048, 11)});
  const Bytes packet = setup_packet(setup);
  ASSERT_GT(packet.size(), 65'025u);
  auto decoder = VorbisDecoder::open(identification_packet(1, 8000), packet, "f.ogg");
  ASSERT_TRUE(succeeded(decoder));
  const std::vector<Bytes> audio = {Bytes(65'025), Bytes(1), Bytes(200'000), Bytes(254), Bytes(255)};
  const auto samples = decode_all(*decoder, audio);
  ASSERT_TRUE(succeeded(samples));
  EXPECT_EQ(*samples, std::vector<float>(4 * 128, 0.0f));
}

TEST(VorbisDecoder, RefusesTablesThatAreTooLarge) {
  SetupSpec setup;
  std::vector<std::uint8_t> lengths(1 << 20, 20);
  setup.codebooks.push_back(
      {.lengths = lengths, .ordered = true});  // a few bytes that stand for a million codes
  const Bytes packet = setup_packet(setup);
  EXPECT_LT(packet.size(), 100u);
  EXPECT_TRUE(refused(VorbisDecoder::open(identification_packet(1, 8000), packet, "f.ogg"),
                      ErrorCode::unsupported, {"f.ogg", "very large tables"}));
}

TEST(VorbisDecoder, RefusesAWindowForABlockThatCannotBe) {
  SetupSpec setup;
  setup.modes = {{.is_long = true}};
  auto decoder = VorbisDecoder::open(identification_packet(1, 8000), setup_packet(setup), "f.ogg");
  ASSERT_TRUE(succeeded(decoder));
  const std::vector<Bytes> after_short = {{0b000}}, after_long = {{0b110}, {0b110}};
  EXPECT_TRUE(refused(decode_all(*decoder, after_short), ErrorCode::corrupt, {"window"}));
  auto sound = VorbisDecoder::open(identification_packet(1, 8000), setup_packet(setup), "f.ogg");
  const auto samples = decode_all(*sound, after_long);
  ASSERT_TRUE(succeeded(samples));
  EXPECT_EQ(samples->size(), 1024u);
}

TEST(VorbisDecoder, OpensInManyThreads) {
  const auto packets = ogg_packets(bytes_of(golden("vorbis_8000.ogg")));
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&packets] {
      for (int j = 0; j < 5; ++j) {
        auto decoder = open(packets);
        ASSERT_TRUE(succeeded(decoder));
        EXPECT_TRUE(succeeded(decode_all(*decoder, std::span(packets).subspan(3))));
      }
    });
}

TEST(VorbisDecoder, SurvivesEverySetupThatPassesAndAnyPacket) {
  std::mt19937 random(5);
  int opened = 0, refusals = 0;
  for (int i = 0; i < 1500; ++i) {
    const RandomVorbis stream = random_vorbis(random);
    auto decoder = VorbisDecoder::open(stream.identification, stream.setup, "f.ogg");
    (decoder ? opened : refusals) += 1;
    if (decoder) (void)decode_all(*decoder, stream.audio);
  }
  EXPECT_GT(opened, 500);
  EXPECT_GT(refusals, 100);
}

}  // namespace
}  // namespace pantanal::audio
