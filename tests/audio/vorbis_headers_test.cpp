#include "pantanal/audio/vorbis_headers.hpp"

#include <gtest/gtest.h>

#include "audio/vorbis_writer.hpp"
#include "core/refused.hpp"

namespace pantanal::audio {
namespace {

const Bytes& sound_header() {
  static const Bytes packet = identification_packet(2, 44100, 8, 11);
  return packet;
}

/// The header with one byte replaced.
Result<VorbisInfo> with(std::size_t at, int value) {
  Bytes packet = sound_header();
  packet[at] = static_cast<std::uint8_t>(value);
  return read_vorbis_identification(packet, "f.ogg");
}

TEST(VorbisIdentification, IsRead) {
  const auto info = read_vorbis_identification(sound_header(), "f.ogg");
  ASSERT_TRUE(succeeded(info));
  EXPECT_EQ(info->channels, 2u);
  EXPECT_EQ(info->sample_rate, 44100u);
  EXPECT_EQ(info->block_sizes, (std::array<std::uint32_t, 2>{256, 2048}));
}

TEST(VorbisIdentification, IsRefusedWhereItIsWrong) {
  EXPECT_TRUE(refused(with(0, 3), ErrorCode::corrupt, {"f.ogg"}));
  EXPECT_TRUE(refused(with(3, 'x'), ErrorCode::corrupt));
  EXPECT_TRUE(refused(with(7, 1), ErrorCode::unsupported, {"Vorbis version 1"}));
  EXPECT_TRUE(refused(with(11, 17), ErrorCode::unsupported, {"17 channels"}));
  EXPECT_TRUE(refused(with(28, 0xb5), ErrorCode::corrupt, {"blocks of 32 and 2048"}));
  EXPECT_TRUE(refused(with(28, 0xe8), ErrorCode::corrupt, {"blocks of 256 and 16384"}));
  EXPECT_TRUE(refused(with(28, 0x8b), ErrorCode::corrupt, {"blocks of 2048 and 256"}));
  EXPECT_TRUE(refused(with(29, 0), ErrorCode::corrupt, {"framing"}));
  EXPECT_TRUE(succeeded(with(28, 0xd6)));
  EXPECT_TRUE(succeeded(with(28, 0x88)));
}

TEST(VorbisIdentification, IsThirtyBytes) {
  for (std::size_t length = 0; length < 30; ++length)
    EXPECT_TRUE(refused(read_vorbis_identification(std::span(sound_header()).first(length), "f.ogg"),
                        ErrorCode::corrupt));
  EXPECT_TRUE(refused(read_vorbis_identification(joined({sound_header(), {0}}), "f.ogg"), ErrorCode::corrupt,
                      {"31 bytes"}));
}

TEST(VorbisHeader, IsToldByItsFirstSevenBytes) {
  EXPECT_TRUE(is_vorbis_header(sound_header(), VorbisHeader::identification));
  EXPECT_FALSE(is_vorbis_header(sound_header(), VorbisHeader::setup));
  EXPECT_TRUE(is_vorbis_header(comment_packet(), VorbisHeader::comment));
  EXPECT_FALSE(is_vorbis_header(std::span(sound_header()).first(6), VorbisHeader::identification));
  EXPECT_FALSE(is_vorbis_header({}, VorbisHeader::identification));
}

}  // namespace
}  // namespace pantanal::audio
