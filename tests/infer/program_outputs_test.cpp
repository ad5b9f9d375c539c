// Where the program writes: files, devices and pipes, and what is left when that fails or ends early.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "io/temporary_folder.hpp"
#include "output/npz_reader.hpp"
#include "program_fixture.hpp"
#include "wav_files.hpp"

namespace pantanal::infer {
namespace {

TEST_F(ProgramTest, WritesFilesInsteadOfToStandardOutput) {
  write_chirp(folder_ / "a.wav", 1);
  const Finished to_stdout = infer({"a.wav"});
  const Finished to_file = infer({"a.wav", "--out", "o.csv", "--embeddings", "e.npz"});
  EXPECT_EQ(to_file.code, 0) << to_file.err;
  EXPECT_EQ(to_file.out, "");
  EXPECT_EQ(read_bytes(folder_ / "o.csv"), to_stdout.out);
  const auto arrays = output::read_npz(folder_ / "e.npz");
  EXPECT_NE(arrays.at("embedding").header.find("(2, 19)"), std::string::npos);
  EXPECT_NE(arrays.at("label").header.find("(2, 7)"), std::string::npos);
  EXPECT_TRUE(temporaries().empty());
}

TEST_F(ProgramTest, RefusesOutputsThatCannotBeWritten) {
  write_chirp(folder_ / "a.wav", 0.5);
  fs::create_directory(folder_ / "d");
  for (const char* const option : {"--out", "--embeddings"})
    for (const char* const path : {"absent/o", "d", "a.wav/o", "/dev/full"}) {
      const Finished finished = infer({"a.wav", option, path});
      EXPECT_EQ(finished.code, 5) << option << path;
      EXPECT_NE(finished.err.find(path), std::string::npos) << finished.err;
      EXPECT_EQ(finished.out, "");
    }
  EXPECT_TRUE(temporaries().empty());
}

TEST_F(ProgramTest, WritesToDevicesAndPipesAsTheyAre) {
  write_chirp(folder_ / "a.wav", 1);
  const std::string expected = infer({"a.wav"}).out;
  const Finished nowhere = infer({"a.wav", "--out", "/dev/null"});
  EXPECT_EQ(nowhere.code, 0) << nowhere.err;
  EXPECT_EQ(nowhere.out, "");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  const Finished through = infer({"a.wav", "--out", "/dev/stdout"});  // a regular file here
  EXPECT_EQ(through.code, 0) << through.err;
  EXPECT_EQ(through.out, expected);

  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  const int reader = ::open((folder_ / "pipe").c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  EXPECT_EQ(infer({"a.wav", "--out", "pipe"}).code, 0);
  std::string read(expected.size() + 1, '\0');
  read.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(reader, read.data(), read.size()))));
  ::close(reader);
  EXPECT_EQ(read, expected);
  EXPECT_TRUE(fs::is_fifo(folder_ / "pipe"));
  EXPECT_TRUE(temporaries().empty());
}

TEST_F(ProgramTest, AppendsToWhatStandardOutputIsAppendedTo) {
  write_chirp(folder_ / "a.wav", 0.5);
  write_bytes(folder_ / "log", "what was there\n");
  const std::string expected = infer({"a.wav"}).out;
  const std::string command =
      std::string("exec ") + PANTANAL_INFER + " --model m.safetensors a.wav --out /dev/stdout >> log 2> err";
  EXPECT_EQ(std::system(("cd '" + folder_.path().string() + "' && " + command).c_str()), 0);
  EXPECT_EQ(read_bytes(folder_ / "log"), "what was there\n" + expected);
}

TEST_F(ProgramTest, LeavesNothingBehindWhenAFileGrowsTooLarge) {
  write_chirp(folder_ / "a.wav", 40);
  for (const char* const option : {"--out", "--embeddings"}) {
    const std::string command = std::string("ulimit -f 8; exec ") + PANTANAL_INFER +
                                " --model m.safetensors a.wav " + option + " o > out.csv 2> err";
    const int status = std::system(("cd '" + folder_.path().string() + "' && " + command).c_str());
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 5) << status << read_bytes(folder_ / "err");
    EXPECT_FALSE(fs::exists(folder_ / "o"));
    EXPECT_TRUE(temporaries().empty());
  }
}

TEST_F(ProgramTest, NeverReplacesWhatItReads) {
  write_chirp(folder_ / "a.wav", 0.5);
  const std::string recording = read_bytes(folder_ / "a.wav");
  EXPECT_EQ(infer({"a.wav", "--out", "./a.wav"}).code, 2);
  EXPECT_EQ(infer({"a.wav", "--embeddings", "m.safetensors"}).code, 2);
  EXPECT_EQ(infer({"a.wav", "--out", "x", "--embeddings", "./x"}).code, 2);
  EXPECT_EQ(read_bytes(folder_ / "a.wav"), recording);
}

TEST_F(ProgramTest, NoticesThatStandardOutputFails) {
  write_chirp(folder_ / "a.wav", 0.5);
  const std::vector<std::string> arguments = {"--model", "m.safetensors", "a.wav", "--embeddings", "e.npz"};
  const Finished full = Program(arguments, folder_.path(), "/dev/full", folder_ / "err").wait();
  EXPECT_EQ(full.code, 5);
  EXPECT_NE(full.err.find("standard output"), std::string::npos) << full.err;
  const Finished closed = Program(arguments, folder_.path(), "", folder_ / "err").wait();
  EXPECT_EQ(closed.code, 5);
  EXPECT_NE(closed.err.find("standard output"), std::string::npos) << closed.err;
  EXPECT_FALSE(fs::exists(folder_ / "e.npz"));
  EXPECT_EQ(Program({"--help"}, folder_.path(), "/dev/full", folder_ / "err").wait().code, 5);
}

TEST_F(ProgramTest, EndsQuietlyWhenItsReaderHasEnough) {
  write_chirp(folder_ / "a.wav", 1);
  const auto run_into = [&](const std::string& reader) {
    const std::string command =
        std::string("{ until [ -e ready ]; do sleep 0.02; done; ") + PANTANAL_INFER +
        " --model m.safetensors a.wav --embeddings e.npz 2> err; echo $? > code; } | " + reader;
    EXPECT_EQ(std::system(("cd '" + folder_.path().string() + "' && " + command).c_str()), 0);
    return read_bytes(folder_ / "code");
  };
  EXPECT_EQ(run_into("{ exec <&-; : > ready; until [ -s code ]; do sleep 0.02; done; }"), "5\n");
  EXPECT_EQ(read_bytes(folder_ / "err"), "");
  EXPECT_FALSE(fs::exists(folder_ / "e.npz"));
  EXPECT_TRUE(temporaries().empty());
  EXPECT_EQ(run_into("cat > all"), "0\n");
  EXPECT_EQ(read_bytes(folder_ / "all"), infer({"a.wav"}).out);
}

TEST_F(ProgramTest, LeavesNothingBehindWhenInterrupted) {
  write_chirp(folder_ / "a.wav", 120);
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    const int reader = ::open((folder_ / "pipe").c_str(), O_RDONLY | O_NONBLOCK);
    ASSERT_GE(reader, 0);
    const Program program({"--model", "m.safetensors", "a.wav", "--embeddings", "e.npz", "--top", "7"},
                          folder_.path(), folder_ / "pipe", folder_ / "err");
    pollfd rows = {reader, POLLIN, 0};
    ASSERT_EQ(::poll(&rows, 1, 60'000), 1);  // it has begun, and more rows will come than the pipe holds
    program.end_by(signal);
    const Finished finished = program.wait();
    ::close(reader);
    EXPECT_EQ(finished.signal, signal) << finished.code << finished.err;
    EXPECT_FALSE(fs::exists(folder_ / "e.npz"));
    EXPECT_TRUE(temporaries().empty());
  }
}

}  // namespace
}  // namespace pantanal::infer
