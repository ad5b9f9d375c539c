// Memory that pantanal-infer takes: at Perch's full size no more than a recorder has, and no more for a
// longer recording.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "io/temporary_folder.hpp"
#include "pantanal/io/posix.hpp"
#include "pantanal/perch/model_file.hpp"
#include "perch/random_model.hpp"
#include "program.hpp"
#include "wav_files.hpp"

namespace pantanal::infer {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;  // what was freed is kept for a while
#else
constexpr bool sanitized = false;
#endif

constexpr std::uint32_t rate = 16000;

/// `minutes` of one and the same minute, 16 bits mono. Written minute by minute: what this program holds
/// would count as the child's.
void write_minutes(const std::filesystem::path& path, std::uint32_t minutes) {
  constexpr std::size_t header = 44;
  const std::string minute = chirp_wav(60, 0, rate);
  std::string head = minute.substr(0, header);
  const std::uint32_t bytes = minutes * static_cast<std::uint32_t>(minute.size() - header);
  for (std::size_t i = 0; i < 4; ++i) {
    head[4 + i] = static_cast<char>((bytes + header - 8) >> (8 * i));
    head[40 + i] = static_cast<char>(bytes >> (8 * i));
  }
  std::ofstream file(path, std::ios::binary);
  file << head;
  for (std::uint32_t i = 0; i < minutes; ++i) file << std::string_view(minute).substr(header);
}

/// Most memory, in KiB, that pantanal-infer held at once; minus its exit code if it did not succeed.
long peak_of(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), PANTANAL_INFER);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  pid_t id = 0;
  if (::posix_spawn(&id, pointers[0], nullptr, nullptr, pointers.data(), environ) != 0) return -1;
  int status = 0;
  rusage usage = {};
  ::wait4(id, &status, 0, &usage);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return code == 0 ? usage.ru_maxrss : -code;
}

/// That of the demo's model on `recording`, with all outputs.
long peak_of(const std::filesystem::path& recording, const TemporaryFolder& folder) {
  return peak_of({recording.string(), "--model", PANTANAL_SOURCE_DIR "/weights/demo/perch.safetensors",
                  "--threads", "2", "--out", (folder / "out.csv").string(), "--embeddings",
                  (folder / "out.npz").string()});
}

/// Perch v2 with 234 classes and random weights, the large ones stored as `dtype`. Made by a process of its
/// own, for the same reason.
bool write_full_size_model(const std::filesystem::path& path, Dtype dtype) {
  const pid_t id = ::fork();
  if (id == 0) {
    namespace fixtures = perch::fixtures;
    const perch::Model model = fixtures::random_model(fixtures::perch_v2_architecture(234), 1);
    ::_exit(perch::save_model(perch::with_dtype(model, dtype), path) ? 0 : 1);
  }
  int status = 0;
  ::waitpid(id, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(Memory, DoesNotGrowWithTheRecording) {
  if (sanitized) GTEST_SKIP() << "a sanitizer's memory is not the program's";
  const TemporaryFolder folder;
  write_minutes(folder / "minute.wav", 1);
  write_minutes(folder / "hour.wav", 60);
  const long minute = peak_of(folder / "minute.wav", folder), hour = peak_of(folder / "hour.wav", folder);
  ASSERT_GT(minute, 0);
  ASSERT_GT(hour, 0);
  EXPECT_LE(hour, 2 * minute) << minute << " KiB for a minute";
  RecordProperty("minute_KiB", std::to_string(minute));
  RecordProperty("hour_KiB", std::to_string(hour));
  EXPECT_GT(std::filesystem::file_size(folder / "out.npz"), 720u * 192 * sizeof(float));
}

TEST(Memory, IsWhatARecorderHas) {
  if (sanitized) GTEST_SKIP() << "a sanitizer's memory is not the program's";
  const TemporaryFolder folder;
  const std::string model = (folder / "perch.safetensors").string(),
                    minute = (folder / "minute.wav").string();
  ASSERT_TRUE(write_full_size_model(model, Dtype::f32));
  write_minutes(minute, 1);
  const std::string out = (folder / "out").string();
  const auto megabytes = [](long kibibytes) { return static_cast<double>(kibibytes) * 1024 / 1e6; };
  const double stream = megabytes(peak_of({"--stream", minute, "--model", model, "--out", out}));
  const double one =
      megabytes(peak_of({minute, "--model", model, "--out", out, "--threads", "1", "--batch", "1"}));
  const double twelve =
      megabytes(peak_of({minute, "--model", model, "--out", out, "--threads", "2", "--batch", "12"}));
  for (const double peak : {stream, one, twelve}) ASSERT_GT(peak, 49) << "more than the weights";
  EXPECT_LT(stream, 96);
  EXPECT_LT(one, 120);
  EXPECT_LT(twelve, 250);
  RecordProperty("stream_MB", std::to_string(stream));
}

/// Weights stored in bfloat16 stay so in memory; what --max-memory reckons is never less than what is taken,
/// and not much more.
/// int8 takes a quarter, and --max-memory knows it.
TEST(Memory, IsLeastInInt8) {
  if (sanitized) GTEST_SKIP() << "a sanitizer's memory is not the program's";
  const TemporaryFolder folder;
  const std::string model = (folder / "perch.safetensors").string(),
                    minute = (folder / "minute.wav").string();
  ASSERT_TRUE(write_full_size_model(model, Dtype::i8));
  write_minutes(minute, 1);
  const auto one = [&](const char* limit) {
    return peak_of({minute, "--model", model, "--out", (folder / "out").string(), "--threads", "1", "--batch",
                    "1", "--max-memory", limit});
  };
  const long peak = one("54MB");
  EXPECT_GT(peak, 20000);
  EXPECT_LT(peak * 1024, 54'000'000);
  EXPECT_EQ(one("40M"), -7);
  RecordProperty("one_KiB", std::to_string(peak));
}

TEST(Memory, IsLessInBfloat16AndRefusedBeforehandIfTooMuch) {
  if (sanitized) GTEST_SKIP() << "a sanitizer's memory is not the program's";
  const TemporaryFolder folder;
  const std::string model = (folder / "perch.safetensors").string(),
                    minute = (folder / "minutes.wav").string();
  ASSERT_TRUE(write_full_size_model(model, Dtype::bf16));
  write_minutes(minute, 2);
  const std::string out = (folder / "out").string();
  const auto one = [&](const char* limit) {
    return peak_of(
        {minute, "--model", model, "--out", out, "--threads", "1", "--batch", "1", "--max-memory", limit});
  };
  const auto twelve = [&](const char* limit) {
    return peak_of({minute, "--model", model, "--out", out, "--threads", "2", "--max-memory", limit});
  };
  const auto stream = [&](const char* limit) {
    return peak_of({"--stream", minute, "--model", model, "--out", out, "--max-memory", limit});
  };
  for (const long peak : {one("64MB"), stream("64MB")}) {
    EXPECT_GT(peak, 29000) << "the weights alone";
    EXPECT_LT(peak * 1024, 64'000'000);
  }
  EXPECT_LT(twelve("92M") * 1024, 92'000'000);
  for (const long refused : {one("50M"), stream("50M"), twelve("75M")}) EXPECT_EQ(refused, -7);
}

/// A stream that has computed one window and waits for more.
class WaitingStream {
 public:
  WaitingStream(const TemporaryFolder& folder, const std::string& name, std::vector<std::string> options)
      : out_(folder / (name + ".ndjson")), fifo_(make_fifo(folder / name)) {
    options.insert(options.end(), {"--stream", (folder / name).string()});
    program_.emplace(std::move(options), folder.path(), out_, folder / (name + ".messages"));
    const std::vector<char> window(2 * 5 * 32000);
    EXPECT_EQ(::write(fifo_.get(), window.data(), window.size()), static_cast<ssize_t>(window.size()));
    for (int tries = 0; tries < 3000 && read_bytes(out_).find("\"window\"") == std::string::npos; ++tries)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }

  /// Bytes of `kind`, such as "Pss", in /proc/PID/smaps_rollup.
  long memory(const std::string& kind) const {
    const std::string text = read_bytes("/proc/" + std::to_string(program_->id()) + "/smaps_rollup");
    const std::size_t at = text.find('\n' + kind + ':');
    return at == std::string::npos ? -1 : 1024 * std::stol(text.substr(at + kind.size() + 2));
  }

  /// Ends it; returns what it has written.
  std::string finish() {
    fifo_.close();
    EXPECT_EQ(program_->wait().code, 0);
    return read_bytes(out_);
  }

 private:
  static FileDescriptor make_fifo(const std::filesystem::path& path) {
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    FileDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));  // which waits for no reader
    EXPECT_GE(::fcntl(file.get(), F_SETPIPE_SZ, 1 << 20), 1 << 20) << "room for a window";
    return file;
  }

  std::filesystem::path out_;
  FileDescriptor fifo_;
  std::optional<Program> program_;
};

/// Two streams of one model with --packed-weights hold the weights once, and neither as memory of its own.
TEST(Memory, OfPackedWeightsIsShared) {
  if (sanitized) GTEST_SKIP() << "a sanitizer's memory is not the program's";
  const TemporaryFolder folder;
  const std::string model = (folder / "perch.safetensors").string(), packed = (folder / "packed").string();
  ASSERT_TRUE(write_full_size_model(model, Dtype::f32));
  WaitingStream alone(folder, "alone", {"--model", model});
  WaitingStream first(folder, "first", {"--model", model, "--packed-weights", packed});
  const auto made = std::filesystem::last_write_time(packed);
  WaitingStream second(folder, "second", {"--model", model, "--packed-weights", packed});
  EXPECT_EQ(std::filesystem::last_write_time(packed), made);
  const auto weights = static_cast<long>(std::filesystem::file_size(packed));
  ASSERT_GT(weights, 48'000'000);
  const long own = alone.memory("Private_Dirty");
  EXPECT_GT(own, weights);
  for (const WaitingStream* const stream : {&first, &second}) {
    EXPECT_GT(stream->memory("Private_Dirty"), 0);
    EXPECT_LT(stream->memory("Private_Dirty"), own - weights * 9 / 10);
    EXPECT_GT(stream->memory("Rss"), weights);
    EXPECT_LT(stream->memory("Pss"), stream->memory("Rss") - weights * 2 / 5);
  }
  const std::string events = alone.finish();
  EXPECT_NE(events.find("\"window\""), std::string::npos);
  EXPECT_EQ(first.finish(), events);
  EXPECT_EQ(second.finish(), events);
}

}  // namespace
}  // namespace pantanal::infer
