#include "pantanal/audio/mp3_frame.hpp"

#include <gtest/gtest.h>

#include "core/refused.hpp"

namespace pantanal::audio {
namespace {

using Header = std::array<std::uint8_t, 4>;

// Sizes as ISO/IEC 11172-3 has them: 144 * bits per second / Hz, rounded down, and a byte of padding.
TEST(Mp3Frame, IsAsLongAsItsHeaderSays) {
  struct Case {
    Header header;
    std::uint32_t rate, channels;
    std::size_t bytes, samples;
  };
  const Case cases[] = {{{0xff, 0xfb, 0x90, 0x44}, 44100, 2, 417, 1152},
                        {{0xff, 0xfb, 0x92, 0xc4}, 44100, 1, 418, 1152},
                        {{0xff, 0xfb, 0xe8, 0x04}, 32000, 2, 1440, 1152},
                        {{0xff, 0xf3, 0x88, 0xc4}, 16000, 1, 288, 576},
                        {{0xff, 0xe3, 0xe8, 0x04}, 8000, 2, 1440, 576}};
  for (const Case& c : cases) {
    const auto frame = parse_mp3_frame(c.header);
    ASSERT_TRUE(succeeded(frame));
    EXPECT_EQ(frame->sample_rate, c.rate);
    EXPECT_EQ(frame->channels, c.channels);
    EXPECT_EQ(frame->bytes, c.bytes);
    EXPECT_EQ(frame->samples, c.samples);
    EXPECT_LE(frame->bytes, most_mp3_frame_bytes);
  }
}

TEST(Mp3Frame, IsRefusedIfItIsNone) {
  for (const Header& header :
       {Header{0xff, 0xeb, 0x90, 0x44}, Header{0xfe, 0xfb, 0x90, 0x44}, Header{0xff, 0xf9, 0x90, 0x44},
        Header{0xff, 0xfb, 0xf0, 0x44}, Header{0xff, 0xfb, 0x9c, 0x44}})
    EXPECT_TRUE(refused(parse_mp3_frame(header), ErrorCode::corrupt, {}));
  EXPECT_TRUE(
      refused(parse_mp3_frame(Header{0xff, 0xfb, 0x00, 0x44}), ErrorCode::unsupported, {"free format"}));
  EXPECT_TRUE(refused(parse_mp3_frame(Header{0xff, 0xff, 0x90, 0x44}), ErrorCode::unsupported, {"layer I"}));
  EXPECT_TRUE(refused(parse_mp3_frame(std::span<const std::uint8_t>()), ErrorCode::corrupt, {"fewer bytes"}));
}

TEST(Mp3Info, ReadsWhatIsThere) {
  const Mp3Frame frame = *parse_mp3_frame(Header{0xff, 0xfb, 0x90, 0xc4});
  std::vector<std::uint8_t> bytes(frame.bytes);
  EXPECT_FALSE(parse_mp3_info(bytes, frame));
  const std::string_view id = "Info";
  std::copy(id.begin(), id.end(), bytes.begin() + 21);
  EXPECT_TRUE(parse_mp3_info(bytes, frame));
  EXPECT_FALSE(parse_mp3_info(bytes, frame)->frames);
  bytes[28] = 15;  // everything follows
  bytes[31] = 1;   // 258 frames
  bytes[32] = 2;
  EXPECT_EQ(parse_mp3_info(bytes, frame)->frames, 258u);
  EXPECT_FALSE(parse_mp3_info(bytes, frame)->added_before);
  const std::size_t lame = 29 + 4 + 4 + 100 + 4;
  bytes[lame] = 'L';
  bytes[lame + 21] = 0x24, bytes[lame + 22] = 0x01, bytes[lame + 23] = 0x02;
  EXPECT_EQ(parse_mp3_info(bytes, frame)->added_before, 0x240u);
  EXPECT_EQ(parse_mp3_info(bytes, frame)->added_after, 0x102u);
  EXPECT_FALSE(parse_mp3_info(std::span(bytes).first(20), frame));
}

}  // namespace
}  // namespace pantanal::audio
