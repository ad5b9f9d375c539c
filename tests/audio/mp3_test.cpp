#include "pantanal/audio/mp3.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "audio/audio_files.hpp"
#include "core/refused.hpp"
#include "pantanal/audio/mp3_frame.hpp"

namespace pantanal::audio {
namespace {

class Mp3 : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!reads_mp3()) GTEST_SKIP() << "built without MP3";
  }

  ::testing::AssertionResult breaks(const Bytes& bytes, std::size_t frames, std::string_view words) const {
    const Heard heard = hear(write(folder_, "f.mp3", bytes));
    if (!heard.error) return ::testing::AssertionFailure() << "decoded";
    const std::size_t count = heard.samples.empty() ? 0 : heard.frames();
    if (count != frames)
      return ::testing::AssertionFailure() << count << " frames, then " << heard.error->message();
    return refused(Status(*heard.error), ErrorCode::corrupt, {"f.mp3", words});
  }

  const Bytes plain_ = bytes_of(golden("layer3_32000.mp3"));
  TemporaryFolder folder_;
};

TEST_F(Mp3, DecodesAsLibsndfileDoes) {
  for (const std::string name :
       {"layer3_44100_stereo", "layer3_32000", "layer3_16000", "layer3_8000", "tagged", "endless"}) {
    const Heard heard = hear(golden(name + ".mp3"), 777);
    const std::vector<float> expected = golden_samples(name + ".f32");
    EXPECT_FALSE(heard.error) << name << heard.error->message();
    if (name == "endless") {  // nothing says where it ends: six frames, of which libsndfile gives a part
      EXPECT_FALSE(heard.format.frames);
      EXPECT_EQ(heard.frames(), 6u * 1152);
    } else {
      EXPECT_EQ(heard.format.frames, heard.frames());
      EXPECT_EQ(heard.samples.size(), expected.size()) << name;
    }
    ASSERT_GE(heard.samples.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
      ASSERT_NEAR(heard.samples[i], expected[i], 2e-6) << name << i;
  }
}

TEST_F(Mp3, CutShortIsAPrefixAndAnError) {
  const Heard whole = hear(golden("layer3_32000.mp3"));
  for (std::size_t length = plain_.size() - 1; length > 700; length -= 97) {
    const Heard cut = hear(write(folder_, "f.mp3", std::span(plain_).first(length)));
    ASSERT_TRUE(cut.error) << length;
    EXPECT_NE(cut.error->message().find("cut short"), std::string::npos) << cut.error->message();
    ASSERT_LE(cut.samples.size(), whole.samples.size());
    for (std::size_t i = 0; i < cut.samples.size(); ++i)
      ASSERT_EQ(cut.samples[i], whole.samples[i]) << length;
  }
}

TEST_F(Mp3, BreaksWhereSomethingElseThanAFrameFollows) {
  const auto endless = bytes_of(golden("endless.mp3"));
  const Bytes& bytes = endless;
  const auto first = parse_mp3_frame(bytes);
  ASSERT_TRUE(succeeded(first));
  const std::size_t second = first->bytes;
  Bytes junk = bytes;
  junk[second] = 0x12;
  EXPECT_TRUE(breaks(junk, 1152, "other bytes at byte " + std::to_string(second)));
  Bytes reserved = bytes;
  reserved[second + 2] = static_cast<std::uint8_t>(reserved[second + 2] | 0x0c);
  EXPECT_TRUE(breaks(reserved, 1152, "reserved"));
  Bytes other = bytes;
  other[second + 2] = static_cast<std::uint8_t>(other[second + 2] & ~0x0c);  // 44.1 kHz
  EXPECT_TRUE(breaks(other, 1152, "44100 Hz"));
  // A tag of more bytes than there are; nothing but tags.
  Bytes tag = {'I', 'D', '3', 4, 0, 0, 0x7f, 0x7f, 0x7f, 0x7f, 0xff, 0xfb};
  EXPECT_TRUE(breaks(tag, 0, "passes the end of the file"));
  EXPECT_TRUE(breaks({'I', 'D', '3', 4, 0, 0, 0, 0, 0, 2, 0, 0}, 0, "without a frame"));
  EXPECT_TRUE(refused(open_audio(write(folder_, "f.mp3", Bytes{0xff, 0xfd, 0x90, 0x44, 0, 0})),
                      ErrorCode::unsupported, {"f.mp3", "layer II", "at byte 0"}));
}

TEST(Mp3Without, SaysWhichOptionIsMissing) {
  if (reads_mp3()) GTEST_SKIP() << "built with MP3";
  EXPECT_TRUE(refused(open_audio(golden("tagged.mp3")), ErrorCode::unsupported,
                      {"tagged.mp3", "a file of type MP3", "PANTANAL_WITH_MP3=ON"}));
}

}  // namespace
}  // namespace pantanal::audio
