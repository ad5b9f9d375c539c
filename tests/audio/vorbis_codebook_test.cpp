#include "pantanal/audio/vorbis_codebook.hpp"

#include <gtest/gtest.h>

#include "audio/vorbis_writer.hpp"
#include "core/refused.hpp"

namespace pantanal::audio::detail {
namespace {

/// Writes a codebook, and a mark behind it that must be where reading stops.
Result<VorbisCodebook> read(const CodebookSpec& spec) {
  BitWriter writer;
  put(writer, spec);
  writer.put(0x2d, 6);
  VorbisBits bits(writer.bytes());
  auto book = read_vorbis_codebook(bits, "f.ogg");
  EXPECT_TRUE(!book || bits.read(6) == 0x2d);
  return book;
}

TEST(VorbisCodebook, IsReadInEveryWayOfWritingLengths) {
  const auto plain = read({.dimensions = 3, .lengths = {1, 3, 3, 2}});
  ASSERT_TRUE(succeeded(plain));
  EXPECT_EQ(plain->dimensions, 3u);
  EXPECT_EQ(plain->entries, 4u);
  EXPECT_EQ(plain->used, 4u);
  EXPECT_FALSE(plain->has_vectors);
  const auto sparse = read({.lengths = {0, 1, 0, 2, 2, 0}, .sparse = true});
  ASSERT_TRUE(succeeded(sparse));
  EXPECT_EQ(sparse->entries, 6u);
  EXPECT_EQ(sparse->used, 3u);
  const auto ordered = read({.lengths = {1, 3, 3, 3, 3}, .ordered = true});
  ASSERT_TRUE(succeeded(ordered));
  EXPECT_EQ(ordered->used, 5u);
}

TEST(VorbisCodebook, IsReadWithItsVectors) {
  const auto lattice =
      read({.dimensions = 2, .lengths = {2, 2, 2, 3, 3}, .lookup = 1, .value_bits = 7, .values = 2});
  ASSERT_TRUE(succeeded(lattice));
  EXPECT_TRUE(lattice->has_vectors);
  const auto listed =
      read({.dimensions = 4, .lengths = {1, 2, 2}, .lookup = 2, .value_bits = 16, .values = 12});
  ASSERT_TRUE(succeeded(listed));
  EXPECT_TRUE(listed->has_vectors);
}

TEST(VorbisCodebook, MayHaveOneCodeOrNone) {
  EXPECT_EQ(read({.lengths = {1}})->used, 1u);
  EXPECT_EQ(read({.lengths = {0, 0, 1}, .sparse = true})->used, 1u);
  EXPECT_EQ(read({.lengths = {0, 0, 0}, .sparse = true})->used, 0u);
}

TEST(VorbisCodebook, HasCodesThatFormATree) {
  EXPECT_TRUE(succeeded(read({.lengths = {2, 2, 2, 2}})));
  EXPECT_TRUE(refused(read({.lengths = {1, 1, 1}}), ErrorCode::corrupt, {"f.ogg", "no tree"}));  // too many
  EXPECT_TRUE(refused(read({.lengths = {1, 2}}), ErrorCode::corrupt, {"no tree"}));              // too few
  EXPECT_TRUE(refused(read({.lengths = {2}}), ErrorCode::corrupt, {"no tree"}));
  EXPECT_TRUE(refused(read({.lengths = {0, 5, 0}, .sparse = true}), ErrorCode::corrupt, {"no tree"}));
  EXPECT_TRUE(refused(read({.lengths = {1, 32}}), ErrorCode::unsupported, {"32 bits"}));
}

TEST(VorbisCodebook, CountsRunsOfLengthsThatStayInBounds) {
  const auto ordered = [](std::uint32_t first_length, std::uint32_t count) {
    BitWriter bits;
    bits.put(0x564342, 24);
    bits.put(1, 16);
    bits.put(4, 24);
    bits.put(1, 1);
    bits.put(first_length - 1, 5);
    bits.put(count, 3);
    VorbisBits reader(bits.bytes());
    return read_vorbis_codebook(reader, "f.ogg");
  };
  EXPECT_TRUE(refused(ordered(2, 5), ErrorCode::corrupt, {"out of bounds"}));  // five of four entries
  EXPECT_TRUE(refused(ordered(2, 0), ErrorCode::corrupt, {"out of bounds"}));  // lengths that never end
  EXPECT_TRUE(refused(ordered(32, 4), ErrorCode::corrupt, {"out of bounds"}));
}

TEST(VorbisCodebook, HasASizeThatCanBe) {
  EXPECT_TRUE(refused(read({.dimensions = 0}), ErrorCode::corrupt, {"0 dimensions"}));
  EXPECT_TRUE(refused(read({.lengths = {}}), ErrorCode::corrupt, {"0 entries"}));
  const std::vector<std::uint8_t> of_256(256, 8);
  EXPECT_TRUE(succeeded(read({.dimensions = 0x7fff, .lengths = of_256})));
  EXPECT_TRUE(refused(read({.dimensions = 0x8000, .lengths = of_256}), ErrorCode::corrupt, {"2^24"}));
}

TEST(VorbisCodebook, IsOfAKindThatTheDecoderKnows) {
  EXPECT_TRUE(refused(read({.lookup = 3}), ErrorCode::corrupt, {"lookup type 3"}));
  EXPECT_TRUE(refused(read({.lookup = 1, .running_sums = true, .values = 2}), ErrorCode::unsupported,
                      {"running sums"}));
  EXPECT_TRUE(refused(read({.lengths = {1, 0, 1}, .sparse = true, .lookup = 2, .values = 3}),
                      ErrorCode::unsupported, {"sparse codebook of lookup type 2"}));
  EXPECT_TRUE(succeeded(read({.lengths = {1, 0, 1}, .sparse = true, .lookup = 1, .values = 3})));
}

TEST(VorbisCodebook, BeginsWithItsMark) {
  const Bytes zeros(100);
  VorbisBits bits(zeros);
  EXPECT_TRUE(refused(read_vorbis_codebook(bits, "f.ogg"), ErrorCode::corrupt, {"no codebook"}));
}

TEST(LatticeValues, AreTheMostWhosePowerFitsTheEntries) {
  const std::tuple<std::uint32_t, std::uint32_t, std::uint32_t> cases[] = {
      {6561, 8, 3}, {6560, 8, 2}, {625, 4, 5}, {624, 4, 4},
      {2, 1, 2},    {8, 5, 1},    {81, 4, 3},  {1 << 16, 2, 256}};
  for (const auto& [entries, dimensions, values] : cases) {
    const VorbisCodebook book{.dimensions = dimensions, .entries = entries};
    EXPECT_EQ(*lattice_values("f.ogg", book), values) << entries << ' ' << dimensions;
  }
  EXPECT_TRUE(refused(lattice_values("f.ogg", {.dimensions = 40, .entries = 100}), ErrorCode::unsupported,
                      {"40 dimensions"}));
}

}  // namespace
}  // namespace pantanal::audio::detail
