// The parts of `pantanal-infer submit` that need no program.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "bell.hpp"
#include "command_lines.hpp"
#include "core/refused.hpp"
#include "duration.hpp"
#include "infer/wav_files.hpp"
#include "io/temporary_folder.hpp"
#include "pantanal/audio/soundfile.hpp"
#include "pantanal/competition/soundscape.hpp"
#include "soundscape_decoder.hpp"
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
  SoundscapeDecoder decoder;
  SoundscapeFeed feed({folder / "a.ogg", folder / "b.ogg", folder / "c.ogg"}, decoder);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto next = feed.next();
    ASSERT_TRUE(next);
    EXPECT_EQ(next->index, i);
    EXPECT_EQ(next->samples.ok(), i != 1);
  }
  EXPECT_FALSE(feed.next());
  SoundscapeFeed left_alone(std::vector<std::filesystem::path>(20, folder / "a.ogg"), decoder);
  EXPECT_TRUE(left_alone.next());  // and the others are not waited for
}

/// A soundscape, but for names that tell of an accident.
Status decode_with_accidents(const std::filesystem::path& path, const infer::DecodeOptions& options,
                             const infer::TakeWindow& take) {
  if (path.filename() == "crash.ogg") std::raise(SIGSEGV);
  while (path.filename() == "hang.ogg") (void)::getppid();
  return decode_soundscape(path, options, take);
}

SoundscapeDecoder accident_prone(int cpu_seconds) {
  auto process = infer::DecoderProcess::start({.cpu_seconds = cpu_seconds}, decode_with_accidents);
  EXPECT_TRUE(succeeded(process));
  return SoundscapeDecoder(*std::move(process));
}

TEST(SoundscapeFeed, LosesOneSoundscapeToACrash) {
  const TemporaryFolder folder;
  for (const char* const name : {"a.ogg", "crash.ogg", "hang.ogg", "z.ogg"})
    infer::write_chirp(folder / name, 7, 2);
  SoundscapeDecoder decoder = accident_prone(1);
  SoundscapeFeed feed({folder / "a.ogg", folder / "crash.ogg", folder / "hang.ogg", folder / "z.ogg"},
                      decoder);
  EXPECT_EQ(*feed.next()->samples, *read_soundscape_60s(folder / "a.ogg"));
  EXPECT_TRUE(
      refused(feed.next()->samples, ErrorCode::internal, {"crash.ogg", "crashed (Segmentation fault)"}));
  EXPECT_TRUE(refused(feed.next()->samples, ErrorCode::internal, {"hang.ogg", "1 s of CPU time"}));
  EXPECT_EQ(*feed.next()->samples, *read_soundscape_60s(folder / "z.ogg"));
  EXPECT_FALSE(feed.next());
}

TEST(SoundscapeFeed, WaitsForNoRecordingOnceItShallStop) {
  const TemporaryFolder folder;
  infer::write_chirp(folder / "hang.ogg", 1, 1);
  SoundscapeDecoder decoder = accident_prone(300);
  const auto start = std::chrono::steady_clock::now();
  {
    SoundscapeFeed feed({folder / "hang.ogg", folder / "hang.ogg"}, decoder);
    EXPECT_FALSE(feed.next([] { return true; }));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

TEST(SoundscapeFeed, DecodesItselfWhereTheProcessIsLost) {
  const TemporaryFolder folder;
  infer::write_chirp(folder / "a.ogg", 6, 1);
  SoundscapeDecoder decoder = accident_prone(20);
  decoder.stop();
  SoundscapeFeed feed({folder / "a.ogg", folder / "a.ogg"}, decoder);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(*feed.next()->samples, *read_soundscape_60s(folder / "a.ogg"));
  EXPECT_FALSE(decoder.has_process());
}

TEST(SoundscapeDecoder, TakesWhatSoundfileTakes) {
  if (!audio::reads_as_soundfile()) GTEST_SKIP() << "built without libsndfile";
  const TemporaryFolder folder;
  infer::write_broken_chirp(folder / "cut.ogg", 4, 0.3);
  infer::Console console;
  std::vector<float> found;
  for (const bool in_process : {true, false}) {
    SoundscapeDecoder strict({.in_process = in_process}, console),
        lenient({.in_process = in_process, .soundfile_compat = true}, console);
    EXPECT_EQ(lenient.has_process(), !in_process);
    EXPECT_TRUE(refused(strict.decode(folder / "cut.ogg", {}), ErrorCode::corrupt, {"cut.ogg"}));
    const auto samples = lenient.decode(folder / "cut.ogg", {});
    ASSERT_TRUE(succeeded(samples));
    if (in_process) found = *samples;
    EXPECT_EQ(*samples, found);
  }
  const auto sounds = [&](std::size_t begin, std::size_t end) {
    return std::any_of(found.begin() + static_cast<std::ptrdiff_t>(begin),
                       found.begin() + static_cast<std::ptrdiff_t>(end), [](float x) { return x != 0; });
  };
  EXPECT_TRUE(sounds(30000, 38000));  // of four seconds the first three tenths
  EXPECT_FALSE(sounds(39000, found.size()));
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
  const char* const swallowed[] = {"pantanal-train", "--data", "d", "--perch", "--out", "h"};
  EXPECT_NE(parse_train_line(6, swallowed).text.find("--perch: found the option '--out'"), std::string::npos);
  const char* const print[] = {"pantanal-train", "--print-config", "--config", "recommended"};
  const auto printed = parse_train_line(4, print);
  EXPECT_EQ(printed.code, infer::ExitCode::done);
  EXPECT_NE(printed.text.find("\"ensemble_probes\": \"out_of_fold\""), std::string::npos) << printed.text;
}

TEST(CompetitionLines, ExplainHowASignalEndsThem) {
  const char* const help[] = {"", "--help"};
  EXPECT_NE(parse_train_line(2, help).text.find("143 (SIGTERM)"), std::string::npos);
  EXPECT_NE(parse_rescore_line(2, help).text.find("143"), std::string::npos);
  EXPECT_NE(parse_submit_line(2, help).text.find("after SIGTERM and SIGINT"), std::string::npos);
}

TEST(CheckPaths, RefusesAnOutputThatTakesAnotherFilesPlace) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink(folder.path(), folder / "link");
  const auto submits = [&](std::string out, std::string logs, std::vector<const char*> more = {}) {
    const std::string at = folder / "", data = folder / "d", perch = at + "m", heads = at + "h";
    out = at + out, logs = at + logs;
    std::vector<const char*> all = {"submit",      "--data",  data.c_str(),  "--perch",
                                    perch.c_str(), "--heads", heads.c_str(), "--logs",
                                    logs.c_str(),  "--out",   out.c_str()};
    all.insert(all.end(), more.begin(), more.end());
    return parse_submit_line(static_cast<int>(all.size()), all.data());
  };
  EXPECT_TRUE(submits("s.csv", "l").options);
  for (const auto& [out, logs] :
       std::vector<std::pair<const char*, const char*>>{{"s.csv", "s.csv"},
                                                        {"s.csv", "x/../s.csv.journal"},
                                                        {"h", "l"},
                                                        {"m", "l"},
                                                        {"link/h", "l"},
                                                        {"d/sample_submission.csv", "l"},
                                                        {"s.csv", "d/taxonomy.csv"},
                                                        {"d/test_soundscapes/a.ogg", "l"}}) {
    const auto line = submits(out, logs);
    EXPECT_FALSE(line.options) << out << " " << logs;
    EXPECT_EQ(line.code, infer::ExitCode::usage);
    EXPECT_NE(line.text.find("a file of its own"), std::string::npos) << line.text;
  }
  const std::string cache = folder.path(), packed = folder / "s.csv";
  EXPECT_FALSE(submits("s.csv", "l", {"--packed-weights", packed.c_str()}).options);
  EXPECT_TRUE(submits("t.csv", "l", {"--packed-weights", packed.c_str()}).options);
  EXPECT_TRUE(submits("s.csv", "l", {"--train-from-cache", cache.c_str()}).options);
  EXPECT_FALSE(submits("full_perch_arrays.npz", "l", {"--train-from-cache", cache.c_str()}).options);
  const char* const train[] = {"pantanal-train", "--data", "d", "--perch", "m", "--out", "d/taxonomy.csv"};
  EXPECT_EQ(parse_train_line(7, train).code, infer::ExitCode::usage);
  const char* const rescore[] = {"rescore", "--cache", "c", "--heads", "h", "--out", "o", "--steps", "./o"};
  EXPECT_EQ(parse_rescore_line(9, rescore).code, infer::ExitCode::usage);
}

}  // namespace
}  // namespace pantanal::competition
