// Files that are known to break stb_vorbis, made here from what was published of them, and what comes out of
// each.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "audio/audio_files.hpp"
#include "audio/ogg_writer.hpp"
#include "audio/vorbis_writer.hpp"
#include "core/refused.hpp"
#include "pantanal/audio/open.hpp"

namespace pantanal::audio {
namespace {

/// A comment header: the length of the vendor's name as stated, what there is of it, the number of comments
/// as stated, then each comment's length as stated, without any of its text.
Bytes comments(std::uint32_t vendor_length, const std::string& vendor, std::uint32_t count,
               const std::vector<std::uint32_t>& lengths = {}) {
  BitWriter bits;
  bits.put_header(3);
  bits.put(vendor_length, 32);
  for (const char c : vendor) bits.put(static_cast<std::uint8_t>(c), 8);
  bits.put(count, 32);
  for (const std::uint32_t length : lengths) bits.put(length, 32);
  bits.put(1, 8);
  return bits.bytes();
}

Bytes one_page(const Bytes& packet, const PageHeader& header) {
  return ogg_page(header, std::vector<Bytes>{packet});
}

/// vorbis_32000.ogg with other comments or another setup.
Bytes with_headers(const Bytes& comment, const Bytes& setup = {}) {
  const std::vector<Bytes> packets = ogg_packets(bytes_of(golden("vorbis_32000.ogg")));
  Bytes file = one_page(packets[0], {.flags = 2});
  const auto append = [&](const Bytes& page) { file.insert(file.end(), page.begin(), page.end()); };
  append(one_page(comment, {.sequence = 1}));
  append(one_page(setup.empty() ? packets[2] : setup, {.sequence = 2}));
  std::vector<Bytes> audio(packets.begin() + 3, packets.end());
  for (std::size_t i = 0; i < audio.size(); ++i) {
    const bool last = i + 1 == audio.size();
    append(one_page(audio[i], {.flags = static_cast<std::uint8_t>(last ? 4 : 0),
                               .granule = last ? 9600 : -1,
                               .sequence = static_cast<std::uint32_t>(3 + i)}));
  }
  return file;
}

struct CommentAttack {
  const char* name;
  Bytes packet;
};

/// All of these are in the comments, which no decoder gets to see: the recording is heard as if they were
/// sound.
TEST(KnownAttacks, InCommentsAreHeardAsIfThereWereNone) {
  const CommentAttack attacks[] = {
      {"CVE-2023-45675: the vendor's end is written in front of nothing", comments(0xffffffff, "", 0)},
      {"CVE-2023-45676: a length that overflows when it is rounded up", comments(0x7ffffff9, "xxxx", 0)},
      {"CVE-2023-45677: a negative length", comments(0x80000010, "xxxx", 0)},
      {"CVE-2023-45679: a list that breaks off is freed whole", comments(0, "", 4, {0, 0x7ffffff0})},
      {"CVE-2023-45680: a list without memory is freed", comments(0, "", 0x0fffffff)},
      {"CVE-2023-45681: a count whose size overflows", comments(0, "", 0x20000001, {0, 0, 0, 0})},
      {"a comment of negative length", comments(0, "", 1, {0xfffffff0})}};
  const TemporaryFolder folder;
  const std::vector<float> expected = golden_samples("vorbis_32000.f32");
  for (const CommentAttack& attack : attacks) {
    SCOPED_TRACE(attack.name);
    const Heard heard = hear(write(folder, "f.ogg", with_headers(attack.packet)));
    EXPECT_FALSE(heard.error) << heard.error->message();
    ASSERT_EQ(heard.samples.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(heard.samples[i], expected[i], 1e-6) << i;
  }
}

/// 116 bytes, whose comments are said to be 212 million: 1.7 GB of pointers.
TEST(KnownAttacks, AListOf17GigabytesIsAFileCutShort) {
  Bytes file = one_page(identification_packet(1, 32000), {.flags = 2});
  const Bytes page = one_page(comments(14, "fourteen bytes", 1'700'000'000 / 8), {.sequence = 1});
  file.insert(file.end(), page.begin(), page.end());
  ASSERT_EQ(file.size(), 116u);
  const TemporaryFolder folder;
  const std::size_t before = live_bytes;
  peak_bytes = before;
  EXPECT_TRUE(refused(open_audio(write(folder, "f.ogg", file)), ErrorCode::corrupt, {"f.ogg", "cut short"}));
  EXPECT_LT(peak_bytes - before, 1u << 20);
}

/// 205 bytes: a codebook whose 16519105 x 65 numbers of four bytes are four bytes, modulo 2^32.
TEST(KnownAttacks, ACodebookWhoseSizeOverflowsIsRefused) {
  BitWriter setup;
  setup.put_header(5);
  setup.put(0, 8);          // one codebook
  setup.put(0x564342, 24);  // its mark
  setup.put(65, 16);
  setup.put(16'519'105, 24);
  setup.put(1, 1);   // lengths in order: all
  setup.put(23, 5);  // are 24
  setup.put(16'519'105, 24);
  setup.put(1, 4);  // values on a lattice
  setup.put(0x60000000, 32);
  setup.put(0x60200000, 32);
  setup.put(0, 4);
  setup.put(0, 1);
  Bytes packet = setup.bytes();
  packet.resize(75, 0xff);
  Bytes file = one_page(identification_packet(1, 32000), {.flags = 2});
  for (const Bytes& page :
       {one_page(comment_packet(), {.sequence = 1}), one_page(packet, {.flags = 4, .sequence = 2})})
    file.insert(file.end(), page.begin(), page.end());
  ASSERT_EQ(file.size(), 205u);
  const TemporaryFolder folder;
  const std::size_t before = live_bytes;
  peak_bytes = before;
  EXPECT_TRUE(refused(open_audio(write(folder, "f.ogg", file)), ErrorCode::corrupt,
                      {"f.ogg", "codebook", "16519105"}));
  EXPECT_LT(peak_bytes - before, 1u << 20);
}

/// CVE-2023-45678: the decoder's table of submaps has room for 15.
TEST(KnownAttacks, SixteenSubmapsAreRefused) {
  SetupSpec setup;
  setup.mappings = {{.submap_of = {0}, .submaps = std::vector<std::pair<std::uint32_t, std::uint32_t>>(16)}};
  const TemporaryFolder folder;
  EXPECT_TRUE(refused(open_audio(write(folder, "f.ogg", with_headers(comment_packet(), setup_packet(setup)))),
                      ErrorCode::unsupported, {"f.ogg", "16 submaps"}));
}

/// CVE-2023-45682: a packet ends within a code of a sparse codebook, which is then number -1 of its table.
TEST(KnownAttacks, APacketThatEndsWithinACodeIsABlock) {
  SetupSpec setup;
  CodebookSpec sparse{.lengths = {0, 0, 0, 2, 0, 2, 0, 0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                      .sparse = true};
  setup.codebooks = {sparse};
  setup.floors = {{.partition_classes = {0},
                   .classes = {{.dimensions = 1, .subclass_bits = 1, .masterbook = 0, .books = {1, 1}}},
                   .position_bits = 4,
                   .positions = {3}}};
  setup.residues = {{}};
  Bytes file = one_page(identification_packet(1, 32000, 8, 8), {.flags = 2});
  const auto append = [&](const Bytes& page) { file.insert(file.end(), page.begin(), page.end()); };
  append(one_page(comment_packet(), {.sequence = 1}));
  append(one_page(setup_packet(setup), {.sequence = 2}));
  for (std::uint32_t i = 0; i < 40; ++i) {
    // The floor is used; its two edges take 16 bits, then comes the masterbook's code, or what there is of
    // it.
    Bytes packet = {static_cast<std::uint8_t>(2 | i << 2), static_cast<std::uint8_t>(i * 37)};
    if (i % 3 > 0) packet.push_back(static_cast<std::uint8_t>(0xc0 | i));
    append(one_page(packet, {.flags = static_cast<std::uint8_t>(i == 39 ? 4 : 0),
                             .granule = i == 39 ? 39 * 128 : -1,
                             .sequence = 3 + i}));
  }
  const TemporaryFolder folder;
  const Heard heard = hear(write(folder, "f.ogg", file));
  EXPECT_FALSE(heard.error) << heard.error->message();
  EXPECT_EQ(heard.frames(), 39u * 128);
  for (const float x : heard.samples) ASSERT_TRUE(is_sample(x));
}

class Damaged : public ::testing::Test {
 protected:
  void expect_prefix(const Heard& heard, std::size_t least) const {
    ASSERT_GE(heard.samples.size(), least);
    ASSERT_LE(heard.samples.size(), expected_.size());
    for (std::size_t i = 0; i < heard.samples.size(); ++i)
      ASSERT_NEAR(heard.samples[i], expected_[i], 1e-6) << i;
  }
  Heard hear_bytes(const Bytes& bytes) const { return hear(write(folder_, "f.ogg", bytes)); }

  TemporaryFolder folder_;
  const std::vector<float> expected_ = golden_samples("vorbis_32000.f32");
  const Bytes sound_ = with_headers(comment_packet());
};

TEST_F(Damaged, FilesCutShortAreHeardUpToThere) {
  const Heard heard =
      hear_bytes(Bytes(sound_.begin(), sound_.begin() + static_cast<std::ptrdiff_t>(sound_.size()) * 2 / 3));
  ASSERT_TRUE(heard.error);
  EXPECT_NE(heard.error->message().find("cut"), std::string::npos) << heard.error->message();
  expect_prefix(heard, 1000);
}

TEST_F(Damaged, ABitFlippedIsHeardUpToItsPage) {
  Bytes bytes = sound_;
  bytes[bytes.size() * 2 / 3] ^= 4;
  const Heard heard = hear_bytes(bytes);
  ASSERT_TRUE(heard.error);
  EXPECT_EQ(heard.error->code, ErrorCode::corrupt);
  expect_prefix(heard, 1000);
}

TEST_F(Damaged, ChainedFilesAreHeardUpToTheSecondAndSaySo) {
  Bytes bytes = sound_;
  bytes.insert(bytes.end(), sound_.begin(), sound_.end());
  const Heard heard = hear_bytes(bytes);
  ASSERT_TRUE(heard.error);
  EXPECT_EQ(heard.error->code, ErrorCode::unsupported);
  EXPECT_NE(heard.error->message().find("chained"), std::string::npos) << heard.error->message();
  expect_prefix(heard, expected_.size());
}

TEST_F(Damaged, JunkInFrontIsNoRecordingAndJunkBehindIsNothing) {
  Bytes bytes(1000, 0x5a);
  bytes.insert(bytes.end(), sound_.begin(), sound_.end());
  EXPECT_TRUE(refused(open_audio(write(folder_, "f.ogg", bytes)), ErrorCode::unsupported, {"unknown type"}));
  bytes = sound_;
  bytes.insert(bytes.end(), 1000, 0x5a);
  const Heard heard = hear_bytes(bytes);
  EXPECT_FALSE(heard.error) << heard.error->message();
  expect_prefix(heard, expected_.size());
}

}  // namespace
}  // namespace pantanal::audio
