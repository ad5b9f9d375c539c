#include "pantanal/audio/vorbis_bits.hpp"

#include <gtest/gtest.h>

#include "audio/vorbis_writer.hpp"

namespace pantanal::audio {
namespace {

TEST(VorbisBits, ReadsTheExampleOfTheSpecification) {
  // Vorbis I, 2.1.6: 12 in 4 bits, -1 in 3, 17 in 7, 6969 in 13.
  const Bytes bytes = {0b11111100, 0b01001000, 0b11001110, 0b00000110};
  VorbisBits bits(bytes);
  EXPECT_EQ(bits.read(4), 12u);
  EXPECT_EQ(bits.read(3), 7u);
  EXPECT_EQ(bits.read(7), 17u);
  EXPECT_EQ(bits.read(13), 6969u);
  EXPECT_FALSE(bits.exhausted());
}

TEST(VorbisBits, ReadsUpTo32Bits) {
  const Bytes bytes = {0xff, 0x21, 0x43, 0x65, 0x87, 0x09};
  VorbisBits bits(bytes);
  EXPECT_EQ(bits.read(8), 0xffu);
  EXPECT_EQ(bits.read(32), 0x87654321u);
  EXPECT_EQ(bits.read(0), 0u);
  EXPECT_TRUE(bits.flag());
  EXPECT_FALSE(bits.flag());
}

TEST(VorbisBits, GivesZerosPastTheEndAndTells) {
  const Bytes bytes = {0xff};
  VorbisBits bits(bytes);
  EXPECT_EQ(bits.read(8), 0xffu);
  EXPECT_FALSE(bits.exhausted());
  VorbisBits further = bits;
  EXPECT_EQ(further.read(5), 0u);
  EXPECT_TRUE(further.exhausted());
  bits.skip(0);
  EXPECT_FALSE(bits.exhausted());
  bits.skip(std::uint64_t{1} << 40);
  EXPECT_TRUE(bits.exhausted());
  EXPECT_EQ(bits.read(32), 0u);
}

TEST(VorbisBits, IsTheInverseOfTheTestsWriter) {
  BitWriter writer;
  for (unsigned count = 1; count <= 32; ++count) writer.put(0x9e3779b97f4a7c15u >> count, count);
  VorbisBits bits(writer.bytes());
  for (unsigned count = 1; count <= 32; ++count)
    EXPECT_EQ(bits.read(count), (0x9e3779b97f4a7c15u >> count & ((std::uint64_t{1} << count) - 1)));
}

}  // namespace
}  // namespace pantanal::audio
