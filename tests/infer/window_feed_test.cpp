#include "window_feed.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/refused.hpp"
#include "wav_files.hpp"

namespace pantanal::infer {
namespace {

/// Half-second windows, few of them ahead.
FeedOptions options(std::size_t decoders) {
  return {.decode = {.windows = {.rate = 32000, .samples = 16000}}, .ahead = 3, .decoders = decoders};
}

/// What a feed gave, in words: "0@0.5" for a window, "0." and "0!" for a good and a bad end.
std::string story(WindowFeed& feed) {
  std::string text;
  while (const auto item = feed.next()) {
    if (const auto* const window = std::get_if<FeedWindow>(&*item)) {
      char words[64];
      std::snprintf(words, sizeof words, "%zu@%g ", window->recording, window->start_s);
      text += words;
    } else {
      const auto& end = std::get<FeedEnd>(*item);
      text += std::to_string(end.recording) + (end.status ? ". " : "! ");
    }
  }
  return text;
}

class WindowFeedOfSix : public ::testing::TestWithParam<std::size_t> {
 protected:
  WindowFeedOfSix() {
    const double seconds[] = {1.2, 0.3, 0, 3, 0.5, 1};
    for (std::size_t i = 0; i < 6; ++i) {
      const auto path = folder_ / (std::to_string(i) + ".wav");
      if (i == 2) write_bytes(path, "no recording");
      if (i == 3) write_broken_chirp(path, 3, 0.4);
      if (i != 2 && i != 3) write_chirp(path, seconds[i]);
      recordings_.push_back({path, 0});
    }
    recordings_.push_back({folder_ / "absent.wav", 0});
  }

  TemporaryFolder folder_;
  std::vector<Recording> recordings_;
};

TEST_P(WindowFeedOfSix, GivesAllInOrder) {
  WindowFeed feed(recordings_, options(GetParam()));
  EXPECT_EQ(story(feed), "0@0 0@0.5 0@1 0. 1@0 1. 2! 3@0 3@0.5 3! 4@0 4. 5@0 5@0.5 5. 6! ");
  EXPECT_FALSE(feed.next());
}

TEST_P(WindowFeedOfSix, CanBeLeftAtAnyTime) {
  for (int taken = 0; taken < 12; ++taken) {
    WindowFeed feed(recordings_, options(GetParam()));
    for (int i = 0; i < taken; ++i) EXPECT_TRUE(feed.next());
  }
}

INSTANTIATE_TEST_SUITE_P(Decoders, WindowFeedOfSix, ::testing::Values(0, 1, 2, 3, 20));

TEST(WindowFeed, GivesWhatAWindowStreamGives) {
  const TemporaryFolder folder;
  write_chirp(folder / "a.wav", 0.7);
  const std::vector<Recording> recordings = {{folder / "a.wav", 0}};
  WindowFeed feed(recordings, options(1));
  auto stream = audio::WindowStream::open(folder / "a.wav", options(1).decode.windows);
  ASSERT_TRUE(succeeded(stream));
  std::vector<float> expected(16000);
  for (const double part : {0.5, 1.0}) {
    ASSERT_TRUE(succeeded(stream->next(expected)));
    const auto item = feed.next();
    const auto* const window = std::get_if<FeedWindow>(&*item);
    ASSERT_TRUE(window);
    EXPECT_EQ(window->samples, expected);
    EXPECT_EQ(window->end_s, window->start_s + 0.5);
    EXPECT_EQ(window->part, part);
  }
}

TEST(WindowFeed, NormalizesIfAsked) {
  const TemporaryFolder folder;
  write_chirp(folder / "a.wav", 0.5);
  const std::vector<Recording> recordings = {{folder / "a.wav", 0}};
  FeedOptions peak = options(1);
  peak.decode.normalize = audio::Normalize::peak;
  WindowFeed feed(recordings, peak);
  const auto item = feed.next();
  const auto& samples = std::get<FeedWindow>(*item).samples;
  float most = 0;
  for (const float x : samples) most = std::max(most, std::abs(x));
  EXPECT_FLOAT_EQ(most, 0.25f);
}

TEST(WindowFeed, TellsWhatWentWrong) {
  const TemporaryFolder folder;
  write_broken_chirp(folder / "a.wav", 2, 0.6);
  const std::vector<Recording> recordings = {{folder / "a.wav", 0}, {folder / "absent.wav", 0}};
  WindowFeed feed(recordings, options(1));
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(std::holds_alternative<FeedWindow>(feed.next().value()));
  const auto broken = std::get<FeedEnd>(feed.next().value());
  EXPECT_TRUE(refused(broken.status, ErrorCode::corrupt, {"a.wav"}));
  EXPECT_EQ(broken.windows, 2u);
  EXPECT_TRUE(refused(std::get<FeedEnd>(feed.next().value()).status, ErrorCode::not_found, {"absent.wav"}));
}

TEST(WindowFeed, OfNothingGivesNothing) {
  WindowFeed feed({}, options(2));
  EXPECT_FALSE(feed.next());
}

}  // namespace
}  // namespace pantanal::infer
