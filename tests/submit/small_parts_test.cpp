// The parts of `pantanal-infer submit` that need no program.
#include <gtest/gtest.h>

#include <fstream>

#include "bell.hpp"
#include "command_lines.hpp"
#include "core/refused.hpp"
#include "duration.hpp"
#include "infer/wav_files.hpp"
#include "io/temporary_folder.hpp"
#include "soundscape_feed.hpp"
#include "submission_board.hpp"

namespace pantanal::competition {
namespace {

TEST(Duration, IsReadAsPeopleWriteIt) {
  EXPECT_EQ(parse_duration("85m"), 5100);
  EXPECT_EQ(parse_duration("1h30m"), 5400);
  EXPECT_EQ(parse_duration("90"), 90);
  EXPECT_EQ(parse_duration("0.5s"), 0.5);
  for (const char* const wrong : {"", "m", "-1m", "5x", "1h30", "0", "nan", "inf", "1e3s"})
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
}

TEST(Bell, RingsEarlierByWhatIsReserved) {
  const auto start = Bell::Clock::now() - std::chrono::seconds(10);
  EXPECT_FALSE(Bell(start, std::nullopt).has_rung());
  Bell bell(start, 60);
  EXPECT_NEAR(bell.left(), 50, 5);
  bell.reserve(20);
  bell.reserve(10);
  EXPECT_NEAR(bell.left(), 30, 5);
  bell.reserve(60);
  EXPECT_TRUE(bell.has_rung());
}

TEST(SoundscapeFeed, GivesAllInOrderBrokenOnesToo) {
  const TemporaryFolder folder;
  infer::write_chirp(folder / "a.ogg", 1, 1);
  write_bytes(folder / "b.ogg", "no recording");
  infer::write_chirp(folder / "c.ogg", 1, 2);
  SoundscapeFeed feed({folder / "a.ogg", folder / "b.ogg", folder / "c.ogg"});
  for (std::size_t i = 0; i < 3; ++i) {
    const auto next = feed.next();
    ASSERT_TRUE(next);
    EXPECT_EQ(next->index, i);
    EXPECT_EQ(next->samples.ok(), i != 1);
  }
  EXPECT_FALSE(feed.next());
  SoundscapeFeed left_alone(std::vector<std::filesystem::path>(20, folder / "a.ogg"));
  EXPECT_TRUE(left_alone.next());  // and the others are not waited for
}

TEST(SubmissionBoard, PublishesWhatStands) {
  const TemporaryFolder folder;
  SubmissionBoard board(folder / "s.csv", {"a", "b"});
  std::vector<pipeline::WindowMeta> meta{{"x_5", "x", {}}, {"x_10", "x", {}}};
  pipeline::Scores rows(2, 2, 0.25f);
  ASSERT_TRUE(succeeded(board.add(meta, rows)));
  ASSERT_TRUE(succeeded(board.publish()));
  EXPECT_EQ(read_bytes(folder / "s.csv"), "row_id,a,b\nx_5,0.25,0.25\nx_10,0.25,0.25\n");
  ASSERT_TRUE(succeeded(board.set(0, std::vector<float>{0, 1, 0.5f, 1})));
  EXPECT_TRUE(refused(board.set(0, std::vector<float>{0, 1, std::nanf(""), 1}), ErrorCode::invalid_argument,
                      {"x_10", "NaN"}));
  EXPECT_TRUE(refused(board.set(0, std::vector<float>{0, 1}), ErrorCode::mismatch));
  ASSERT_TRUE(succeeded(board.publish()));
  EXPECT_EQ(read_bytes(folder / "s.csv"), "row_id,a,b\nx_5,0,1\nx_10,0.5,1\n");
  write_bytes(folder / "s.csv", "another's");  // nothing has changed on the board: nothing is written
  ASSERT_TRUE(succeeded(board.publish()));
  EXPECT_EQ(read_bytes(folder / "s.csv"), "another's");
}

TEST(TrainLine, IsChecked) {
  const char* const good[] = {"pantanal-train", "--data", "d",        "--perch", "m", "--out", "x/h",
                              "--mode",         "train",  "--config", "v5-cfg"};
  const auto line = parse_train_line(11, good);
  ASSERT_TRUE(line.options) << line.text;
  EXPECT_TRUE(line.options->with_studies);
  EXPECT_EQ(line.options->configuration.proto_ssm.n_ssm_layers, 3u);
  EXPECT_EQ(line.options->logs, "x/logs.json");
  const char* const wrong[] = {"pantanal-train", "--data", "d",      "--perch", "m",
                               "--out",          "h",      "--mode", "dry"};
  EXPECT_EQ(parse_train_line(9, wrong).code, infer::ExitCode::usage);
  const char* const print[] = {"pantanal-train", "--print-config", "--config", "recommended"};
  const auto printed = parse_train_line(4, print);
  EXPECT_EQ(printed.code, infer::ExitCode::done);
  EXPECT_NE(printed.text.find("\"ensemble_probes\": \"out_of_fold\""), std::string::npos) << printed.text;
}

}  // namespace
}  // namespace pantanal::competition
