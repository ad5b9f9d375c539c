#include "pantanal/audio/ogg_page.hpp"

#include <gtest/gtest.h>

#include "audio/audio_files.hpp"
#include "core/refused.hpp"

namespace pantanal::audio {
namespace {

class OggPageTest : public ::testing::Test {
 protected:
  ByteReader file_of(const Bytes& bytes) { return *ByteReader::open(write(folder_, "f.ogg", bytes)); }
  TemporaryFolder folder_;
};

const Bytes& sample_page() {
  static const Bytes page = ogg_page({.flags = 4, .granule = -1, .serial = 0xdeadbeef, .sequence = 3},
                                     std::vector<Bytes>{Bytes(3, 'a'), Bytes(255, 'b'), {}});
  return page;
}

TEST_F(OggPageTest, ReadsAPage) {
  auto file = file_of(joined({sample_page(), sample_page()}));
  OggPage page;
  EXPECT_TRUE(*read_ogg_page(file, page));
  EXPECT_EQ(page.position, 0u);
  EXPECT_FALSE(page.continued());
  EXPECT_FALSE(page.begins());
  EXPECT_TRUE(page.ends());
  EXPECT_EQ(page.granule(), -1);
  EXPECT_EQ(page.serial(), 0xdeadbeefu);
  EXPECT_EQ(page.sequence(), 3u);
  EXPECT_EQ(Bytes(page.lengths().begin(), page.lengths().end()), (Bytes{3, 255, 0, 0}));
  EXPECT_EQ(page.body().size(), 258u);
  EXPECT_EQ(page.body()[3], 'b');
  EXPECT_TRUE(*read_ogg_page(file, page));
  EXPECT_EQ(page.position, sample_page().size());
  EXPECT_FALSE(*read_ogg_page(file, page));
}

TEST_F(OggPageTest, AgreesWithLibsndfileOnChecksums) {
  for (const Bytes& page : ogg_pages(bytes_of(golden("vorbis_32000.ogg"))))
    EXPECT_EQ(ogg_checksum(page), OggPage({.position = 0, .bytes = page}).checksum());
}

TEST_F(OggPageTest, RefusesEveryAlteredBit) {
  const Bytes whole = sample_page();
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    Bytes altered = whole;
    altered[bit / 8] = static_cast<std::uint8_t>(altered[bit / 8] ^ 1u << bit % 8);
    auto file = file_of(altered);
    OggPage page;
    EXPECT_TRUE(refused(read_ogg_page(file, page), ErrorCode::corrupt, {"f.ogg", "byte 0"})) << bit;
  }
}

TEST_F(OggPageTest, RefusesEveryCutPage) {
  const Bytes whole = sample_page();
  for (std::size_t length = 1; length < whole.size(); ++length) {
    auto file = file_of(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)));
    OggPage page;
    EXPECT_TRUE(refused(read_ogg_page(file, page), ErrorCode::corrupt, {"cut short"})) << length;
  }
}

TEST_F(OggPageTest, RefusesOtherBytes) {
  auto file = file_of(Bytes(100, 'x'));
  OggPage page;
  EXPECT_TRUE(refused(read_ogg_page(file, page), ErrorCode::corrupt, {"no Ogg page"}));
  Bytes newer = sample_page();
  newer[4] = 1;
  repair_checksum(newer);
  file = file_of(newer);
  EXPECT_TRUE(refused(read_ogg_page(file, page), ErrorCode::corrupt, {"version 0"}));
}

TEST(OggPageLength, IsThatOfACompletePage) {
  const Bytes& page = sample_page();
  EXPECT_EQ(ogg_page_length(page), page.size());
  EXPECT_EQ(ogg_page_length(joined({page, {1, 2, 3}})), page.size());
  for (std::size_t length = 0; length < page.size(); ++length)
    EXPECT_EQ(ogg_page_length(std::span(page).first(length)), 0u);
  EXPECT_EQ(ogg_page_length(Bytes(100, 'x')), 0u);
}

}  // namespace
}  // namespace pantanal::audio
