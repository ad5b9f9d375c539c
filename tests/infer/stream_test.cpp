// pantanal-infer --stream, run as a user would.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "infer/program.hpp"
#include "infer/wav_files.hpp"
#include "stream_options.hpp"

namespace pantanal::infer {
namespace {

using Json = nlohmann::json;
const std::string demo_model = PANTANAL_SOURCE_DIR "/weights/demo/perch.safetensors";

class StreamProgram : public ::testing::Test {
 protected:
  /// Runs the shell's `producer | pantanal-infer --stream - ...` in the folder; returns the events.
  std::vector<Json> pipe(const std::string& producer, const std::string& arguments, int code = 0) {
    const std::string command = "cd '" + folder_.path().string() + "' && " + producer +
                                " | '" PANTANAL_INFER "' --stream - -m '" + demo_model + "' " + arguments +
                                " > events 2> messages";
    const int status = std::system(command.c_str());
    EXPECT_EQ(WEXITSTATUS(status), code) << command << '\n' << read_bytes(folder_ / "messages");
    std::vector<Json> events;
    std::istringstream lines(read_bytes(folder_ / "events"));
    for (std::string line; std::getline(lines, line);) events.push_back(Json::parse(line));
    return events;
  }

  static std::vector<Json> of_kind(const std::vector<Json>& events, const std::string& kind) {
    std::vector<Json> found;
    for (const Json& event : events)
      if (event["event"] == kind) found.push_back(event);
    return found;
  }

  TemporaryFolder folder_;
};

TEST_F(StreamProgram, TellsOfWavWhatTheFileHolds) {
  write_chirp(folder_ / "x.wav", 12.0);
  const Finished file = run({"-m", demo_model, "--top", "3", "x.wav"}, folder_.path());
  ASSERT_EQ(file.code, 0);
  const auto events = pipe("cat x.wav", "--top 3");

  const auto windows = of_kind(events, "window");
  ASSERT_EQ(windows.size(), 3u);
  std::istringstream rows(file.out);
  std::string row;
  std::getline(rows, row);
  for (const Json& window : windows)
    for (const Json& scored : window["top"]) {
      ASSERT_TRUE(std::getline(rows, row));
      EXPECT_NE(row.find(scored["label"].get<std::string>()), std::string::npos) << row;
      const std::string left = row.substr(0, row.rfind(','));
      EXPECT_EQ(std::stof(left.substr(left.rfind(',') + 1)), scored["logit"].get<float>());
    }
  EXPECT_EQ(windows[2]["recorded_s"], 2.0);
  EXPECT_EQ(events.back()["event"], "end");
  EXPECT_EQ(events.back()["duration_s"], 12.0);
}

TEST_F(StreamProgram, TakesRawSamplesAtAnyRateAndHeadersWithoutALength) {
  const std::string wav = chirp_wav(6.0, 1, 48000), raw = wav.substr(44);
  write_bytes(folder_ / "x.raw", raw);
  std::string endless = wav;
  std::memset(endless.data() + 40, 0xff, 4);
  std::memset(endless.data() + 4, 0, 4);
  write_bytes(folder_ / "endless.wav", endless);
  std::string odd_chunk =
      wav.substr(0, 12) + std::string("LIST\x03\0\0\0abc\0", 12) + wav.substr(12) + "LISTrubbish";
  write_bytes(folder_ / "chunks.wav", odd_chunk);
  const auto expected = pipe("cat x.raw", "--rate 48000 --hop 2.5");
  ASSERT_EQ(of_kind(expected, "window").size(), 2u);
  EXPECT_EQ(pipe("cat endless.wav", "--hop 2.5"), expected);
  EXPECT_EQ(pipe("cat chunks.wav", "--hop 2.5"), expected);
  EXPECT_EQ(pipe("dd if=x.raw bs=997 status=none", "--rate 48000 --hop 2.5"), expected)
      << "however it arrives";
}

TEST_F(StreamProgram, SpeaksOfSamplesThatAreNoNumbersAndGoesOn) {
  std::vector<float> sound(10 * 32000, 0.01f);
  for (std::size_t i = 40000; i < 48000; ++i) sound[i] = std::numeric_limits<float>::quiet_NaN();
  sound[50000] = std::numeric_limits<float>::infinity();
  write_bytes(folder_ / "x", {reinterpret_cast<const char*>(sound.data()), 4 * sound.size()});
  const auto events = pipe("cat x", "--format f32");
  const auto gaps = of_kind(events, "gap"), windows = of_kind(events, "window");
  ASSERT_EQ(gaps.size(), 1u) << "those of one window together";
  EXPECT_EQ(gaps[0]["start_s"], 1.25);
  EXPECT_EQ(gaps[0]["end_s"], 50001 / 32000.0);
  EXPECT_EQ(gaps[0]["lost_s"], 8001 / 32000.0);
  ASSERT_EQ(windows.size(), 2u);
  EXPECT_EQ(windows[0]["recorded_s"], 5 - 8001 / 32000.0);
  EXPECT_EQ(windows[1]["recorded_s"], 5.0);
}

TEST_F(StreamProgram, EndsWithACodeThatSaysHow) {
  write_bytes(folder_ / "odd", std::string(32001, 'x'));
  EXPECT_EQ(pipe("cat odd", "", 4).back()["windows"], 1) << "what came before is told";
  EXPECT_EQ(pipe("printf ''", "", 6).back()["windows"], 0);
  pipe("printf 'RIFF----WAVEjunk'", "", 4);
  write_broken_chirp(folder_ / "cut.wav", 10, 0.7);
  EXPECT_EQ(of_kind(pipe("cat cut.wav", "", 4), "window").size(), 2u);
  pipe("printf ''", "--channels 0", 2);
  pipe("printf ''", "--format s12", 2);
  pipe("printf ''", "--threshold nan", 2);
  pipe("printf ''", "--longest 1", 2);
  pipe("printf ''", "--out /no/folder/x", 5);
  const std::string away = "cd '" + folder_.path().string() +
                           "' && cat /dev/zero | ('" PANTANAL_INFER "' --stream - -m '" + demo_model +
                           "' --hop 0.5; echo $? > code) | head -n 2 > events";
  EXPECT_EQ(std::system(away.c_str()), 0);
  EXPECT_EQ(read_bytes(folder_ / "code"), "5\n");
}

TEST_F(StreamProgram, SaysWhichSecondsItWants) {
  const auto said = [&](const std::string& arguments) {
    pipe("printf ''", arguments, 2);
    return read_bytes(folder_ / "messages");
  };
  for (const std::string option : {"--hop", "--longest"})
    for (const std::string value : {"0", "-1", "nan", "inf", "1e999", "abc", "2s", "''"}) {
      const std::string found = value == "''" ? value : "'" + value + "'";
      EXPECT_EQ(
          said(option + " " + value)
              .find("pantanal-infer: " + option + ": found " + found + ", expected seconds, more than 0"),
          0u)
          << read_bytes(folder_ / "messages");
    }
  const std::string too_long = ", expected seconds, from one sample to a window's 5\n";
  EXPECT_EQ(said("--hop 1e9"), "pantanal-infer: --hop: invalid argument: found 1e+09 s" + too_long);
  EXPECT_EQ(said("--hop 5.1"), "pantanal-infer: --hop: invalid argument: found 5.1 s" + too_long);
  EXPECT_EQ(said("--hop 1e-9"), "pantanal-infer: --hop: invalid argument: found 1e-09 s" + too_long);
  EXPECT_EQ(
      said("--longest 1"),
      "pantanal-infer: --longest: invalid argument: found 1 s, expected seconds, at least a window's 5\n");
}

TEST_F(StreamProgram, TakesNoOtherKindOfFileForRawSamples) {
  for (const char* const mark : {"OggS", "fLaC", "ID3", "FORM", "RIFX", "caff"}) {
    write_bytes(folder_ / "other", mark + std::string(320000, 'x'));
    pipe("cat other", "", 4);
  }
}

/// RF64 states its length in 64 bits, in a chunk of its own; what follows the samples is no sound.
TEST_F(StreamProgram, ReadsTheHeadersOfLongFiles) {
  const auto number = [](std::uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
    return text;
  };
  for (const char* const mark : {"RF64", "BW64"}) {
    std::string file = mark + number(0xffffffff, 4) + "WAVE" + "ds64" + number(28, 4) + number(0, 8) +
                       number(48000 * 2 * 10, 8) + number(0, 12);
    file += "fmt " + number(16, 4) + number(1, 2) + number(1, 2) + number(48000, 4) + number(96000, 4) +
            number(2, 2) + number(16, 2) + "data" + number(0xffffffff, 4);
    write_bytes(folder_ / "long.wav",
                file + std::string(48000 * 2 * 10, '\0') + "LIST" + number(4, 4) + "abcd");
    const auto events = pipe("cat long.wav", "");
    EXPECT_EQ(events.back()["duration_s"], 10.0) << mark;
    EXPECT_EQ(of_kind(events, "window").size(), 2u);
  }
}

TEST_F(StreamProgram, WaitsForANonBlockingPipeAndTakesADashForStandardOutput) {
  const std::string late =
      "python3 -c 'import os,sys,time; os.set_blocking(1, False); time.sleep(1); os.write(1, bytes(64000))'";
  EXPECT_EQ(pipe(late, "--out -").back()["duration_s"], 1.0);
}

TEST_F(StreamProgram, ReplacesNeitherTheModelNorTheSound) {
  write_bytes(folder_ / "sound", std::string(32000, 'x'));
  const std::string stream = "cd '" + folder_.path().string() + "' && '" PANTANAL_INFER "' --stream sound ";
  EXPECT_EQ(WEXITSTATUS(std::system((stream + "-m '" + demo_model + "' --out ./sound").c_str())), 2);
  EXPECT_EQ(WEXITSTATUS(std::system((stream + "-m sound --out sound").c_str())), 2);
  const std::string piped = "cd '" + folder_.path().string() + "' && '" PANTANAL_INFER "' --stream - -m '" +
                            demo_model + "' --out sound < sound";
  EXPECT_EQ(WEXITSTATUS(std::system(piped.c_str())), 2);
  EXPECT_EQ(read_bytes(folder_ / "sound"), std::string(32000, 'x'));
}

TEST_F(StreamProgram, WritesWhatIsOpenWhenInterrupted) {
  const std::string command = "cd '" + folder_.path().string() +
                              "' && (cat odd; sleep 4) | timeout -s TERM 2 '" PANTANAL_INFER
                              "' --stream - -m '" +
                              demo_model + "' --threshold -1000 --out events";
  write_bytes(folder_ / "odd", std::string(32000 * 2 * 5, 'x'));
  EXPECT_NE(std::system(command.c_str()), -1);
  const std::string events = read_bytes(folder_ / "events");
  EXPECT_NE(events.find("\"detection\""), std::string::npos);
  EXPECT_NE(events.find("\"reason\":\"a signal\""), std::string::npos) << events;
}

TEST(StreamOptions, AreToldApartFromRecordings) {
  const char* const stream[] = {"pantanal-infer", "-m", "x", "--stream=-"};
  const char* const recording[] = {"pantanal-infer", "-m", "x", "--", "--stream"};
  EXPECT_TRUE(is_stream_line(4, stream));
  EXPECT_FALSE(is_stream_line(5, recording));
  const auto parsed = parse_stream_line(4, stream);
  ASSERT_TRUE(parsed.options);
  EXPECT_EQ(parsed.options->input, "-");
  EXPECT_EQ(parsed.options->threads, 1u);
}

TEST(StreamOptions, ExplainHowASignalEndsTheStream) {
  const char* const help[] = {"pantanal-infer", "--stream", "-", "--help"};
  EXPECT_NE(parse_stream_line(4, help).text.find("143 after SIGTERM"), std::string::npos);
}

}  // namespace
}  // namespace pantanal::infer
