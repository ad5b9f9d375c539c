#include "decoder_process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/refused.hpp"
#include "decoder_limits.hpp"
#include "wav_files.hpp"
#include "window_feed.hpp"

namespace pantanal::infer {
namespace {

constexpr DecodeOptions half_seconds = {.windows = {.rate = 32000, .samples = 16000}};

/// One window, then what the recording's name says.
Status decode_with_accidents(const std::filesystem::path& path, const DecodeOptions& options,
                             const TakeWindow& take) {
  const std::string name = path.filename().string();
  if (name.ends_with(".wav")) return decode_recording(path, options, take);
  take(0, 0.5, std::vector<float>(options.windows.samples, 0.25f));
  if (name == "loud") {
    std::fputs("a library's words\n", stdout);
    std::fputs("a library's words\n", stderr);
    std::fflush(stdout);
  } else if (name == "crash") {
    ::raise(SIGSEGV);
  } else if (name == "abort") {
    std::abort();
  } else if (name == "exit") {
    ::_exit(7);
  } else if (name == "hang") {
    for (;;) (void)::getppid();
  } else if (name == "hog") {
    std::vector<std::vector<char>> all;
    for (;;) all.emplace_back(std::size_t{1} << 24, 'x');
  }
  return {};
}

/// What a process gave of a recording: how many windows, and how it ended.
struct Decoded {
  std::size_t windows = 0;
  Status status;
};

Decoded decode(DecoderProcess& process, const std::filesystem::path& path) {
  Decoded decoded;
  decoded.status = process.decode(path, half_seconds, [&](double, double, std::span<const float> samples) {
    EXPECT_EQ(samples.size(), half_seconds.windows.samples);
    ++decoded.windows;
    return true;
  });
  return decoded;
}

class Accidents : public ::testing::Test {
 protected:
  Accidents() {
    write_chirp(folder_ / "sound.wav", 1.2);
    auto process =
        DecoderProcess::start({.memory = std::size_t{128} << 20, .cpu_seconds = 1}, decode_with_accidents);
    EXPECT_TRUE(succeeded(process));
    process_.push_back(*std::move(process));
  }

  /// The accident costs its own recording, from there on, and no other.
  void expect_report(const char* name, std::string_view words) {
    const Decoded broken = decode(process_[0], folder_ / name);
    EXPECT_EQ(broken.windows, 1u);
    EXPECT_TRUE(refused(broken.status, ErrorCode::internal, {name, words}));
    const Decoded sound = decode(process_[0], folder_ / "sound.wav");
    EXPECT_EQ(sound.windows, 3u);
    EXPECT_TRUE(succeeded(sound.status));
  }

  TemporaryFolder folder_;
  std::vector<DecoderProcess> process_;
};

TEST_F(Accidents, ACrashCostsOneRecording) {
  expect_report("crash", "crashed (Segmentation fault)");
  expect_report("abort", "crashed (Aborted)");
  expect_report("exit", "code 7");
}

TEST_F(Accidents, AHangCostsOneRecordingAndASecond) { expect_report("hang", "1 s of CPU time"); }

TEST_F(Accidents, MemoryIsLimited) { expect_report("hog", "at most 128 MiB"); }

TEST_F(Accidents, InAFeedLeaveTheOthersAsTheyAre) {
  const std::vector<Recording> recordings = {
      {folder_ / "sound.wav", 0}, {folder_ / "crash", 0}, {folder_ / "hog", 0}, {folder_ / "sound.wav", 0}};
  WindowFeed feed(recordings, {.decode = half_seconds, .ahead = 3, .decoders = 1, .processes = process_});
  std::string story;
  while (const auto item = feed.next())
    story += std::holds_alternative<FeedWindow>(*item) ? 'w' : std::get<FeedEnd>(*item).status ? '.' : '!';
  EXPECT_EQ(story, "www.w!w!www.");
}

TEST(DecoderProcess, GivesWhatTheProgramItselfDecodes) {
  const TemporaryFolder folder;
  write_chirp(folder / "a.wav", 3.3);
  write_broken_chirp(folder / "b.wav", 3, 0.4);
  auto process = DecoderProcess::start();
  ASSERT_TRUE(succeeded(process));
  for (const char* const name : {"a.wav", "b.wav", "absent.wav"}) {
    std::vector<float> here, there;
    const auto into = [](std::vector<float>& all) {
      return [&all](double start_s, double part, std::span<const float> samples) {
        all.push_back(static_cast<float>(start_s));
        all.push_back(static_cast<float>(part));
        all.insert(all.end(), samples.begin(), samples.end());
        return true;
      };
    };
    const Status ours = decode_recording(folder / name, half_seconds, into(here));
    const Status theirs = process->decode(folder / name, half_seconds, into(there));
    EXPECT_EQ(here, there);
    EXPECT_EQ(ours.ok(), theirs.ok());
    if (!ours && !theirs) {
      EXPECT_EQ(ours.error().message(), theirs.error().message());
      EXPECT_EQ(ours.error().code, theirs.error().code);
    }
  }
}

/// What is written to standard output and error from now on goes to a file, until the end.
class Overheard {
 public:
  explicit Overheard(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) {
      before_.push_back(::dup(stream));
      ::dup2(file, stream);
    }
    ::close(file);
  }
  Overheard(const Overheard&) = delete;
  Overheard& operator=(const Overheard&) = delete;
  ~Overheard() {
    for (const int stream : {STDERR_FILENO, STDOUT_FILENO}) {
      ::dup2(before_.back(), stream);
      ::close(before_.back());
      before_.pop_back();
    }
  }

 private:
  std::vector<int> before_;
};

TEST(DecoderProcess, KeepsALibrarysWordsToItself) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer's report is to be seen";
#endif
  const TemporaryFolder folder;
  std::fflush(stdout);
  {
    const Overheard overheard(folder / "words");
    auto process = DecoderProcess::start({}, decode_with_accidents);
    ASSERT_TRUE(succeeded(process));
    EXPECT_EQ(decode(*process, folder / "loud").windows, 1u);
  }
  EXPECT_EQ(read_bytes(folder / "words"), "");
}

TEST(DecoderProcess, CanBeLeftAtAnyTime) {
  const TemporaryFolder folder;
  write_chirp(folder / "a.wav", 30);
  auto process = DecoderProcess::start();
  ASSERT_TRUE(succeeded(process));
  int windows = 0;
  EXPECT_TRUE(
      succeeded(process->decode(folder / "a.wav", half_seconds,
                                [&](double, double, std::span<const float>) { return ++windows < 3; })));
  EXPECT_EQ(windows, 3);
}

/// Tries what decoding does not need; says in an error which of it worked.
Status try_everything(const std::filesystem::path& path, const DecodeOptions&, const TakeWindow&) {
  std::string done;
  if (::open((path.string() + ".new").c_str(), O_WRONLY | O_CREAT, 0600) >= 0) done += "create ";
  if (::open(path.c_str(), O_RDWR) >= 0) done += "write ";
  if (::unlink(path.c_str()) == 0) done += "unlink ";
  if (::socket(AF_INET, SOCK_STREAM, 0) >= 0) done += "socket ";
  if (::kill(::getppid(), 0) == 0) done += "kill ";
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  if (child > 0) done += "fork ";
  ::execl("/bin/true", "true", nullptr);
  if (::open(path.c_str(), O_RDONLY) < 0) done += "no-reading ";
  return Error{ErrorCode::unsupported, path.string(), "done: " + done, {}};
}

TEST(DecoderProcess, MayReadAndNothingElse) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(drop_rights() ? 0 : 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  if (WEXITSTATUS(status) != 0) GTEST_SKIP() << "this kernel has no seccomp";
  const TemporaryFolder folder;
  write_bytes(folder / "a", "text");
  auto process = DecoderProcess::start({}, try_everything);
  ASSERT_TRUE(succeeded(process));
  const Decoded decoded = decode(*process, folder / "a");
  ASSERT_FALSE(decoded.status);
  EXPECT_EQ(decoded.status.error().found, "done: ");
  EXPECT_EQ(read_bytes(folder / "a"), "text");
}

}  // namespace
}  // namespace pantanal::infer
