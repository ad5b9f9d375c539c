#include "pantanal/audio/vorbis.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "audio/audio_files.hpp"
#include "audio/vorbis_writer.hpp"
#include "core/refused.hpp"

namespace pantanal::audio {
namespace {

void expect_near(std::span<const float> samples, std::span<const float> expected) {
  ASSERT_EQ(samples.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(samples[i], expected[i], 1e-6) << i;
}

class GoldenVorbis : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenVorbis, IsWhatLibsndfileDecodes) {
  const std::string name = GetParam();
  const Heard heard = hear(golden(name + ".ogg"));
  ASSERT_FALSE(heard.error) << heard.error->message();
  expect_near(heard.samples, golden_samples(name + ".f32"));
  EXPECT_EQ(heard.format.frames, heard.frames());
  EXPECT_EQ(heard.format.encoding, "Ogg Vorbis");
  EXPECT_EQ(hear(golden(name + ".ogg"), 1).samples, heard.samples);
  EXPECT_EQ(hear(golden(name + ".ogg"), 100'000).samples, heard.samples);
}

INSTANTIATE_TEST_SUITE_P(All, GoldenVorbis,
                         ::testing::Values("vorbis_8000", "vorbis_16000", "vorbis_22050_stereo",
                                           "vorbis_32000", "vorbis_44100_stereo", "vorbis_48000_five",
                                           "vorbis_short", "late_start"),
                         [](const auto& instance) { return std::string(instance.param); });

TEST(VorbisSource, RefusesOtherCodecsByName) {
  EXPECT_TRUE(refused(open_audio(golden("opus.ogg")), ErrorCode::unsupported,
                      {"opus.ogg", "Ogg with Opus", "Vorbis"}));
}

TEST(VorbisSource, RefusesCoupledSurround) {
  EXPECT_TRUE(
      refused(open_audio(golden("surround.ogg")), ErrorCode::unsupported, {"channels coded together"}));
}

/// vorbis_32000.ogg as packets, put together anew in the ways of the tests, one packet on each page.
class VorbisStream : public ::testing::Test {
 protected:
  struct Page {
    Bytes packet;
    PageHeader header;
  };

  VorbisStream() {
    std::int64_t granule = 0;
    std::uint32_t before = 0;
    const auto packets = ogg_packets(bytes_of(golden("vorbis_32000.ogg")));
    for (std::size_t i = 0; i < packets.size(); ++i) {
      const std::uint32_t size = i < 3 ? 0 : packets[i][0] >> 1 & 1 ? 2048 : 256;
      granule += before ? (before + size) / 4 : 0;
      before = size;
      pages_.push_back({packets[i], {.granule = granule, .sequence = static_cast<std::uint32_t>(i)}});
    }
    pages_.front().header.flags = 2;
    pages_.back().header = {.flags = 4, .granule = 9600, .sequence = pages_.back().header.sequence};
  }

  Bytes file() const {
    Bytes all;
    for (const Page& page : pages_) {
      const Bytes bytes = ogg_page(page.header, std::vector<Bytes>{page.packet});
      all.insert(all.end(), bytes.begin(), bytes.end());
    }
    return all;
  }
  Heard heard() const { return hear(write(folder_, "f.ogg", file())); }

  void renumber() {
    for (std::size_t i = 0; i < pages_.size(); ++i) pages_[i].header.sequence = static_cast<std::uint32_t>(i);
  }
  void erase(std::size_t begin, std::size_t end) {
    pages_.erase(pages_.begin() + static_cast<std::ptrdiff_t>(begin),
                 pages_.begin() + static_cast<std::ptrdiff_t>(end));
  }
  /// Position up to which audio is complete without page i and those behind it.
  std::size_t frames_before(std::size_t i) const {
    return static_cast<std::size_t>(pages_[i - 1].header.granule);
  }

  void expect_broken(const Heard& heard, std::size_t frames, std::string_view word) {
    ASSERT_TRUE(heard.error) << word;
    EXPECT_EQ(heard.error->code, ErrorCode::corrupt);
    EXPECT_NE(heard.error->message().find(word), std::string::npos) << heard.error->message();
    EXPECT_NE(heard.error->message().find("f.ogg"), std::string::npos) << heard.error->message();
    expect_near(heard.samples, std::span(expected_).first(frames));
  }

  TemporaryFolder folder_;
  std::vector<Page> pages_;
  const std::vector<float> expected_ = golden_samples("vorbis_32000.f32");
};

TEST_F(VorbisStream, IsTheSameOnOtherPages) {
  const Heard heard = this->heard();
  EXPECT_FALSE(heard.error);
  expect_near(heard.samples, expected_);
  EXPECT_EQ(heard.format.frames, 9600u);
}

TEST_F(VorbisStream, NeedsNoPositionsButTheLast) {
  for (Page& page : pages_)
    if (page.header.flags == 0) page.header.granule = -1;
  const Heard heard = this->heard();
  EXPECT_FALSE(heard.error);
  expect_near(heard.samples, expected_);
}

TEST_F(VorbisStream, CutsFramesBeforeTheStart) {
  for (std::size_t i = 3; i < pages_.size(); ++i) pages_[i].header.granule -= 100;
  // The first page with a position that the cut shows on: two blocks, the first of which amounts to nothing.
  pages_[3].header.granule = -1;
  const Heard heard = this->heard();
  EXPECT_FALSE(heard.error) << heard.error->message();
  expect_near(heard.samples, std::span(expected_).subspan(100));
  EXPECT_EQ(heard.format.frames, 9500u);
}

TEST_F(VorbisStream, CutsFramesBehindTheEnd) {
  for (const int cut : {0, 1, 63, 64, 65, 700}) {
    pages_.back().header.granule = 9600 - cut;
    const Heard heard = this->heard();
    EXPECT_FALSE(heard.error);
    if (cut <= 64) expect_near(heard.samples, std::span(expected_).first(9600u - static_cast<unsigned>(cut)));
    EXPECT_GE(heard.samples.size(),
              9600u - static_cast<unsigned>(cut));  // pages before it are not taken back
    EXPECT_EQ(heard.format.frames, 9600u - static_cast<unsigned>(cut));
  }
}

TEST_F(VorbisStream, EndsWithAnEmptyPage) {
  pages_.back().header.flags = 0;
  pages_.push_back(
      {{}, {.flags = 4, .granule = 9600, .sequence = static_cast<std::uint32_t>(pages_.size())}});
  Bytes bytes = file();
  const Heard heard = hear(write(folder_, "f.ogg", bytes));
  EXPECT_FALSE(heard.error);
  expect_near(std::span(heard.samples).first(9600), expected_);
}

TEST_F(VorbisStream, PassesOverPacketsWithoutAudio) {
  pages_.insert(pages_.begin() + 6, {{}, pages_[5].header});
  pages_.insert(pages_.begin() + 7, {comment_packet(), pages_[5].header});
  renumber();
  const Heard heard = this->heard();
  EXPECT_FALSE(heard.error) << heard.error->message();
  expect_near(heard.samples, expected_);
}

TEST_F(VorbisStream, HearsAudioOnThePageOfTheSetup) {
  std::vector<Bytes> pages;
  for (const Page& page : pages_) pages.push_back(ogg_page(page.header, std::vector<Bytes>{page.packet}));
  PageHeader header = pages_[4].header;
  pages[2] = ogg_page(header, {pages_[2].packet, pages_[3].packet, pages_[4].packet});
  header.sequence = 2;
  pages[2] = ogg_page(header, {pages_[2].packet, pages_[3].packet, pages_[4].packet});
  pages.erase(pages.begin() + 3, pages.begin() + 5);
  for (std::size_t i = 3; i < pages.size(); ++i) {
    PageHeader moved = pages_[i + 2].header;
    moved.sequence = static_cast<std::uint32_t>(i);
    pages[i] = ogg_page(moved, std::vector<Bytes>{pages_[i + 2].packet});
  }
  const Heard heard = hear(write(folder_, "f.ogg", joined(pages)));
  EXPECT_FALSE(heard.error) << heard.error->message();
  expect_near(heard.samples, expected_);
}

TEST_F(VorbisStream, BreaksWhereAPageIsMissing) {
  const std::size_t frames = frames_before(8);
  erase(8, 9);
  expect_broken(heard(), frames, "page 9");
}

TEST_F(VorbisStream, BreaksWhereAPageIsAltered) {
  Bytes bytes = file();
  const auto pages = ogg_pages(bytes);
  std::size_t at = 0;
  for (std::size_t i = 0; i < 10; ++i) at += pages[i].size();
  bytes[at - 1] ^= 0x10;
  expect_broken(hear(write(folder_, "f.ogg", bytes)), frames_before(9), "checksum");
}

TEST_F(VorbisStream, BreaksWhereItIsCutShort) {
  const Bytes bytes = file();
  const auto pages = ogg_pages(bytes);
  std::size_t at = 0;
  for (std::size_t i = 0; i < 10; ++i) at += pages[i].size();
  for (const std::size_t more : {0u, 1u, 26u, 27u, 28u, 40u}) {
    const Heard heard = hear(write(folder_, "f.ogg", std::span(bytes).first(at + more)));
    expect_broken(heard, frames_before(10), "cut short");
    EXPECT_EQ(heard.format.frames, std::nullopt);
  }
}

TEST_F(VorbisStream, BreaksWherePacketsWereTakenOut) {
  // Renumbered pages hide the hole from the container, not from the windows: a long block after another,
  // before a short one, is gone.
  const auto is_long = [this](std::size_t i) { return (pages_[i].packet[0] >> 1 & 1) != 0; };
  std::size_t gone = 4;
  while (!is_long(gone - 1) || !is_long(gone) || is_long(gone + 1)) ++gone;
  const std::size_t frames = frames_before(gone);
  erase(gone, gone + 1);
  renumber();
  expect_broken(heard(), frames, "windows do not meet");
}

TEST_F(VorbisStream, BreaksWherePositionsLeaveTheAudio) {
  for (std::size_t i = 8; i < pages_.size(); ++i) pages_[i].header.granule += 32'000;
  expect_broken(heard(), frames_before(8), "up to a page that states");
}

TEST_F(VorbisStream, ToleratesPositionsThatAreRoundedALittle) {
  for (std::size_t i = 5; i + 1 < pages_.size(); ++i) pages_[i].header.granule += i % 2 ? 40 : -40;
  const Heard heard = this->heard();
  EXPECT_FALSE(heard.error) << heard.error->message();
  expect_near(heard.samples, expected_);
}

TEST_F(VorbisStream, SaysWhereLessIsHeardThanTheLastPageStates) {
  pages_.back().header.granule = 9600 + 32'000;
  const Heard heard = this->heard();
  ASSERT_TRUE(heard.error);
  EXPECT_NE(heard.error->message().find("states 41600"), std::string::npos) << heard.error->message();
  expect_near(std::span(heard.samples).first(9600), expected_);
}

TEST_F(VorbisStream, RefusesImpossiblePositions) {
  for (const std::int64_t absurd : {std::numeric_limits<std::int64_t>::max(), std::int64_t{1} << 61}) {
    pages_[4].header.granule = absurd;
    EXPECT_TRUE(heard().error);
  }
  pages_[4].header.granule = std::numeric_limits<std::int64_t>::min();  // states nothing
  EXPECT_FALSE(heard().error);
}

TEST_F(VorbisStream, RefusesAPacketOfNoMode) {
  const Bytes packet = setup_packet({.modes = {{}, {}, {}}});
  pages_ = {{identification_packet(1, 8000), {.flags = 2}},
            {comment_packet(), {.sequence = 1}},
            {packet, {.sequence = 2}},
            {{0b000}, {.granule = 0, .sequence = 3}},
            {{0b110}, {.flags = 4, .granule = 128, .sequence = 4}}};
  const Heard heard = this->heard();
  ASSERT_TRUE(heard.error);
  EXPECT_NE(heard.error->message().find("mode 3"), std::string::npos) << heard.error->message();
}

TEST_F(VorbisStream, OpensWithoutAudio) {
  pages_.resize(3);
  pages_.back().header.flags = 4;
  const Heard heard = this->heard();
  EXPECT_FALSE(heard.error);
  EXPECT_EQ(heard.frames(), 0u);
}

TEST_F(VorbisStream, NeedsItsThreeHeaders) {
  const auto refusal = [this](std::size_t missing, std::string_view word) {
    auto all = pages_;
    erase(missing, missing + 1);
    renumber();
    const auto path = write(folder_, "f.ogg", file());
    pages_ = all;
    return refused(open_audio(path), ErrorCode::corrupt, {"f.ogg", word});
  };
  EXPECT_TRUE(refusal(0, "beginning"));
  EXPECT_TRUE(refusal(1, "Vorbis comments"));
  EXPECT_TRUE(refusal(2, "setup header"));
  pages_.resize(2);
  EXPECT_TRUE(refused(open_audio(write(folder_, "f.ogg", file())), ErrorCode::corrupt, {"cut short"}));
  pages_.back().header.flags = 4;
  EXPECT_TRUE(refused(open_audio(write(folder_, "f.ogg", file())), ErrorCode::corrupt,
                      {"the end of a Vorbis stream"}));
}

TEST_F(VorbisStream, TakesCommentsOfAnySize) {
  // A picture of 3 MB, as music has them, over many pages.
  Bytes comment = comment_packet();
  comment.resize(3'000'000, 'p');
  std::vector<Bytes> pages = {ogg_page(pages_[0].header, std::vector<Bytes>{pages_[0].packet})};
  for (std::size_t at = 0; at < comment.size(); at += 65'025) {
    const auto body = std::span(comment).subspan(at, std::min<std::size_t>(65'025, comment.size() - at));
    Bytes lengths(body.size() / 255, 255);
    if (body.size() < 65'025) lengths.push_back(static_cast<std::uint8_t>(body.size() % 255));
    pages.push_back(ogg_page({.flags = static_cast<std::uint8_t>(at > 0),
                              .granule = body.size() < 65'025 ? 0 : -1,
                              .sequence = static_cast<std::uint32_t>(pages.size())},
                             lengths, body));
  }
  for (std::size_t i = 2; i < pages_.size(); ++i) {
    PageHeader header = pages_[i].header;
    header.sequence = static_cast<std::uint32_t>(pages.size());
    pages.push_back(ogg_page(header, std::vector<Bytes>{pages_[i].packet}));
  }
  const Heard heard = hear(write(folder_, "f.ogg", joined(pages)));
  EXPECT_FALSE(heard.error) << heard.error->message();
  expect_near(heard.samples, expected_);
}

}  // namespace
}  // namespace pantanal::audio
