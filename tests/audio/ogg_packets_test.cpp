#include "pantanal/audio/ogg_packets.hpp"

#include <gtest/gtest.h>

#include "audio/audio_files.hpp"
#include "core/refused.hpp"

namespace pantanal::audio {
namespace {

constexpr std::uint8_t continued = 1, first = 2, last = 4;

Bytes text(std::string_view characters) { return {characters.begin(), characters.end()}; }

class OggPacketsTest : public ::testing::Test {
 protected:
  Result<OggPackets> open(const std::vector<Bytes>& pages) {
    return OggPackets::open(*ByteReader::open(write(folder_, "f.ogg", joined(pages))), "codec", "Codec");
  }

  /// The packets of every page; its end is the error, if there is one.
  std::vector<Bytes> packets_of(const std::vector<Bytes>& pages, std::optional<Error>* error = nullptr) {
    std::vector<Bytes> all;
    auto packets = open(pages);
    if (!packets) {
      if (error) *error = packets.error();
      return all;
    }
    for (;;) {
      for (std::size_t i = 0; i < packets->size(); ++i)
        all.emplace_back((*packets)[i].begin(), (*packets)[i].end());
      const auto there = packets->next_page();
      if (!there && error) *error = there.error();
      if (!there || !*there) return all;
    }
  }

  testing::AssertionResult breaks(const std::vector<Bytes>& pages, ErrorCode code, std::string_view word) {
    std::optional<Error> error;
    packets_of(pages, &error);
    if (!error) return testing::AssertionFailure() << "no error";
    return refused(Status(*error), code, {"f.ogg", word});
  }

  TemporaryFolder folder_;
  const Bytes start_ = ogg_page({.flags = first}, std::vector<Bytes>{text("codec header")});
};

TEST_F(OggPacketsTest, ReadsPacketsOverPages) {
  const Bytes long_packet(70'000, 'L');
  const Bytes all_255(255, 255);
  const std::vector<Bytes> pages = {
      start_, ogg_page({.granule = 10, .sequence = 1}, {text("one"), {}, text("three")}),
      ogg_page({.granule = -1, .sequence = 2}, all_255, std::span(long_packet).first(65'025)),
      ogg_page({.flags = continued, .granule = 20, .sequence = 3},
               Bytes{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                     255, 255, 255, 255, 255, 255, 255, 255, 130, 3},
               joined({Bytes(4975, 'L'), text("end")})),
      ogg_page({.flags = last, .granule = 20, .sequence = 4}, std::vector<Bytes>{})};
  EXPECT_EQ(
      packets_of(pages),
      (std::vector<Bytes>{text("codec header"), text("one"), {}, text("three"), long_packet, text("end")}));
}

TEST_F(OggPacketsTest, ReadsAPacketOfExactlyOnePage) {
  const Bytes packet(65'025, 'x');
  const std::vector<Bytes> pages = {
      start_, ogg_page({.granule = -1, .sequence = 1}, Bytes(255, 255), packet),
      ogg_page({.flags = continued | last, .granule = 5, .sequence = 2}, Bytes{0}, {})};
  EXPECT_EQ(packets_of(pages), (std::vector<Bytes>{text("codec header"), packet}));
}

TEST_F(OggPacketsTest, TruncatesEndlessPackets) {
  std::vector<Bytes> pages = {start_};
  const Bytes body(65'025, 'x');
  for (std::uint32_t i = 1; i <= 40; ++i)
    pages.push_back(
        ogg_page({.flags = static_cast<std::uint8_t>(i > 1 ? continued : 0), .granule = -1, .sequence = i},
                 Bytes(255, 255), body));
  pages.push_back(ogg_page({.flags = continued, .granule = 0, .sequence = 41}, Bytes{1, 4}, text("xnext")));
  pages.push_back(ogg_page({.flags = last, .granule = 0, .sequence = 42}, std::vector<Bytes>{}));
  auto packets = open(pages);
  ASSERT_TRUE(succeeded(packets));
  for (int i = 0; i < 41; ++i) ASSERT_TRUE(*packets->next_page());
  ASSERT_EQ(packets->size(), 2u);
  EXPECT_TRUE(packets->truncated(0));
  EXPECT_EQ((*packets)[0].size(), OggPackets::most_packet_bytes);
  EXPECT_FALSE(packets->truncated(1));
  EXPECT_EQ((*packets)[1].size(), 4u);
}

TEST_F(OggPacketsTest, PassesOverOtherStreams) {
  const std::vector<Bytes> pages = {
      ogg_page({.flags = first, .serial = 1}, std::vector<Bytes>{text(std::string("fishead\0", 8))}),
      start_,
      ogg_page({.flags = first, .serial = 2}, std::vector<Bytes>{text("OpusHead")}),
      ogg_page({.serial = 2, .sequence = 1}, std::vector<Bytes>{text("other")}),
      ogg_page({.sequence = 1}, std::vector<Bytes>{text("ours")}),
      ogg_page({.flags = last, .serial = 1, .sequence = 1}, std::vector<Bytes>{}),
      ogg_page({.flags = last, .sequence = 2}, std::vector<Bytes>{text("and ours")}),
      ogg_page({.flags = last, .serial = 2, .sequence = 2}, std::vector<Bytes>{})};
  EXPECT_EQ(packets_of(pages), (std::vector<Bytes>{text("codec header"), text("ours"), text("and ours")}));
}

TEST_F(OggPacketsTest, NamesTheCodecsItFindsInstead) {
  const auto of = [](std::string_view head, std::uint32_t serial = 7) {
    return ogg_page({.flags = first, .serial = serial}, std::vector<Bytes>{text(head)});
  };
  using namespace std::string_view_literals;
  const std::pair<std::string_view, std::string_view> codecs[] = {
      {"OpusHead\1", "Opus"}, {"\x7f\x46LAC\1", "FLAC"}, {"Speex   1.2", "Speex"},  {"\x80theora", "Theora"},
      {"\1vorbis", "Vorbis"}, {"BBCD", "Dirac"},         {"?", "an unknown codec"}, {"", "an unknown codec"}};
  for (const auto& [head, name] : codecs)
    EXPECT_TRUE(refused(open({of(head)}), ErrorCode::unsupported,
                        {"f.ogg", "Ogg with " + std::string(name), "Codec"}));
  EXPECT_TRUE(
      refused(open({of("fishead", 1), of("OpusHead", 2), ogg_page({}, std::vector<Bytes>{text("x")})}),
              ErrorCode::unsupported, {"Ogg with Skeleton, Opus"}));
}

TEST_F(OggPacketsTest, RefusesFilesWithoutABeginning) {
  EXPECT_TRUE(refused(open({ogg_page({.sequence = 9}, std::vector<Bytes>{text("codec")})}),
                      ErrorCode::corrupt, {"beginning"}));
  EXPECT_TRUE(refused(open({ogg_page({.flags = first}, {text("codec"), text("more")})}), ErrorCode::corrupt,
                      {"first packet"}));
  EXPECT_TRUE(
      refused(open({ogg_page({.flags = first}, Bytes{255}, Bytes(255, 'c'))}), ErrorCode::unsupported));
}

TEST_F(OggPacketsTest, BreaksWhereAPageIsMissingOrRepeated) {
  const Bytes one = ogg_page({.sequence = 1}, std::vector<Bytes>{text("one")});
  const Bytes two = ogg_page({.sequence = 2}, std::vector<Bytes>{text("two")});
  const Bytes three = ogg_page({.flags = last, .sequence = 3}, std::vector<Bytes>{text("three")});
  EXPECT_EQ(packets_of({start_, one, two, three}).size(), 4u);
  EXPECT_TRUE(breaks({start_, one, three}, ErrorCode::corrupt, "page 3 at byte"));
  EXPECT_TRUE(breaks({start_, one, one, two, three}, ErrorCode::corrupt, "page 1 at byte"));
  EXPECT_TRUE(breaks({start_, one, two}, ErrorCode::corrupt, "cut short"));
  EXPECT_TRUE(breaks({start_}, ErrorCode::corrupt, "cut short"));
}

TEST_F(OggPacketsTest, BreaksWhereAPacketIsNotWhole) {
  const Bytes begun = ogg_page({.granule = -1, .sequence = 1}, Bytes{255}, Bytes(255, 'x'));
  EXPECT_TRUE(
      breaks({start_, begun, ogg_page({.flags = last, .sequence = 2}, std::vector<Bytes>{text("new")})},
             ErrorCode::corrupt, "drops the packet"));
  EXPECT_TRUE(
      breaks({start_, ogg_page({.flags = continued | last, .sequence = 1}, std::vector<Bytes>{text("rest")})},
             ErrorCode::corrupt, "continues no packet"));
  EXPECT_TRUE(
      breaks({start_, ogg_page({.flags = last, .granule = -1, .sequence = 1}, Bytes{255}, Bytes(255, 'x'))},
             ErrorCode::corrupt, "without its end"));
}

TEST_F(OggPacketsTest, RefusesASecondStreamBehindTheFirst) {
  const Bytes end = ogg_page({.flags = last, .sequence = 1}, std::vector<Bytes>{text("end")});
  const Bytes another = ogg_page({.flags = first, .serial = 8}, std::vector<Bytes>{text("codec")});
  EXPECT_TRUE(breaks({start_, end, another}, ErrorCode::unsupported, "chained"));
  EXPECT_TRUE(breaks({start_, end, start_, end}, ErrorCode::unsupported, "chained"));
  EXPECT_TRUE(breaks({start_, ogg_page({.sequence = 1}, std::vector<Bytes>{text("a")}), another},
                     ErrorCode::unsupported, "chained"));
  EXPECT_EQ(packets_of({start_, end, text("TAG something else")}).size(), 2u);
}

TEST_F(OggPacketsTest, FindsTheLastPosition) {
  std::vector<Bytes> pages = {start_};
  for (std::uint32_t i = 1; i < 10; ++i)
    pages.push_back(ogg_page({.granule = 100 * i, .sequence = i}, std::vector<Bytes>{Bytes(40'000, 'x')}));
  pages.push_back(
      ogg_page({.flags = last, .granule = 12345, .sequence = 10}, std::vector<Bytes>{text("OggS")}));
  const auto granule_of = [this](const std::vector<Bytes>& all) {
    auto packets = open(all);
    const auto granule = packets->last_granule();
    EXPECT_TRUE(*packets->next_page());  // still at the beginning
    EXPECT_EQ(packets->page().sequence(), 1u);
    return *granule;
  };
  EXPECT_EQ(granule_of(pages), 12345);
  auto with_rubbish = pages;
  with_rubbish.push_back(Bytes(50'000, 'O'));
  EXPECT_EQ(granule_of(with_rubbish), 12345);
  auto buried = pages;
  buried.push_back(Bytes(200'000, 'x'));
  EXPECT_EQ(granule_of(buried), std::nullopt);
  auto cut = pages;
  cut.pop_back();
  EXPECT_EQ(granule_of(cut), std::nullopt);
  auto foreign = pages;
  foreign.push_back(ogg_page({.flags = last, .granule = 99, .serial = 8}, std::vector<Bytes>{text("x")}));
  EXPECT_EQ(granule_of(foreign), 12345);
}

}  // namespace
}  // namespace pantanal::audio
