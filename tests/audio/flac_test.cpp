#include "pantanal/audio/flac.hpp"

#include <gtest/gtest.h>

#include "audio/audio_files.hpp"
#include "core/refused.hpp"

namespace pantanal::audio {
namespace {

class Flac : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!reads_flac()) GTEST_SKIP() << "built without FLAC";
  }

  Heard hear_changed(std::size_t at, std::uint8_t value) const {
    Bytes bytes = bytes_of(golden("flac16.flac"));
    bytes.at(at) = value;
    return hear(write(folder_, "f.flac", bytes));
  }

  TemporaryFolder folder_;
};

TEST_F(Flac, DecodesAsLibsndfileDoes) {
  const std::pair<const char*, const char*> files[] = {
      {"flac16", "FLAC, 16-bit"}, {"flac24_stereo", "FLAC, 24-bit"}, {"flac8", "FLAC, 8-bit"}};
  for (const auto& [name, encoding] : files) {
    const Heard heard = hear(golden(std::string(name) + ".flac"), 777);
    EXPECT_FALSE(heard.error) << name;
    EXPECT_EQ(heard.format.encoding, encoding);
    EXPECT_EQ(heard.format.frames, heard.frames());
    EXPECT_EQ(heard.samples, golden_samples(std::string(name) + ".f32")) << name;
  }
}

TEST_F(Flac, RefusesHeadersThatCannotBe) {
  const std::tuple<std::size_t, int, const char*> changes[] = {{4, 4, "begins with another block"},
                                                               {7, 33, "STREAMINFO of 34 bytes"},
                                                               {8, 0, "blocks of 0 to"},
                                                               {8, 0x20, "blocks of 8192 to 4096"},
                                                               {18, 0, "sample rate"},
                                                               {20, 0, "bits"}};
  for (const auto& [at, value, words] : changes) {
    Bytes bytes = bytes_of(golden("flac16.flac"));
    bytes[at] = static_cast<std::uint8_t>(value);
    if (at == 8) bytes[9] = 0;
    if (at == 18) bytes[19] = 0, bytes[20] = 0;
    if (at == 20)
      bytes[21] = static_cast<std::uint8_t>(bytes[21] & 0x0f), bytes[20] = static_cast<std::uint8_t>(0);
    const Heard heard = hear(write(folder_, "f.flac", bytes));
    ASSERT_TRUE(heard.error) << words;
    EXPECT_EQ(heard.error->code, ErrorCode::corrupt);
    EXPECT_TRUE(heard.samples.empty());
    EXPECT_NE(heard.error->message().find("f.flac"), std::string::npos);
    if (at != 20) {
      EXPECT_NE(heard.error->message().find(words), std::string::npos) << heard.error->message();
    }
  }
}

TEST_F(Flac, GivesWhatStandsBeforeDamage) {
  const Heard whole = hear(golden("flac16.flac"));
  const std::size_t size = bytes_of(golden("flac16.flac")).size();
  // A flipped bit in the second or third block of 4096 fails its checksum.
  const Heard damaged = hear_changed(size / 2, 0x5a);
  ASSERT_TRUE(damaged.error);
  EXPECT_TRUE(refused(Status(*damaged.error), ErrorCode::corrupt, {"f.flac", "damage after frame 4096"}));
  ASSERT_EQ(damaged.samples.size(), 4096u);
  EXPECT_TRUE(std::equal(damaged.samples.begin(), damaged.samples.end(), whole.samples.begin()));
}

TEST_F(Flac, TellsOtherLengthsThanStated) {
  Bytes bytes = bytes_of(golden("flac16.flac"));
  EXPECT_TRUE(refused(Status(*hear_changed(25, 0xff).error), ErrorCode::corrupt,
                      {"states 9215 frames and has 9001"}));
  EXPECT_TRUE(refused(Status(*hear_changed(25, 0).error), ErrorCode::corrupt, {"more than the 8960 frames"}));
  // No length at all, as a recorder leaves it that lost power: whatever is there, if its last block is whole.
  bytes[24] = bytes[25] = 0;
  const Heard unstated = hear(write(folder_, "f.flac", bytes));
  EXPECT_FALSE(unstated.error);
  EXPECT_FALSE(unstated.format.frames);
  EXPECT_EQ(unstated.frames(), 9001u);
  for (std::size_t less = 1; less < 3000; less += 1 + less / 8) {
    const Heard cut = hear(write(folder_, "f.flac", std::span(bytes).first(bytes.size() - less)));
    ASSERT_TRUE(cut.error) << less;
    EXPECT_TRUE(refused(Status(*cut.error), ErrorCode::corrupt, {"f.flac"}));
    EXPECT_EQ(cut.frames() % 4096, 0u);
  }
}

TEST(FlacWithout, SaysWhichOptionIsMissing) {
  if (reads_flac()) GTEST_SKIP() << "built with FLAC";
  EXPECT_TRUE(refused(open_audio(golden("flac16.flac")), ErrorCode::unsupported,
                      {"flac16.flac", "a file of type FLAC", "PANTANAL_WITH_FLAC=ON"}));
}

}  // namespace
}  // namespace pantanal::audio
