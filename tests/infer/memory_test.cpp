// Memory that pantanal-infer takes does not grow with a recording's length.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "io/temporary_folder.hpp"
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

/// Most memory, in KiB, that pantanal-infer held at once; -1 if it did not succeed.
long peak_of(const std::filesystem::path& recording, const TemporaryFolder& folder) {
  std::vector<std::string> arguments = {PANTANAL_INFER, recording.string()};
  arguments.insert(arguments.end(), {"--model", PANTANAL_SOURCE_DIR "/weights/demo/perch.safetensors"});
  arguments.insert(arguments.end(), {"--threads", "2", "--out", (folder / "out.csv").string()});
  arguments.insert(arguments.end(), {"--embeddings", (folder / "out.npz").string()});
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  pid_t id = 0;
  if (::posix_spawn(&id, pointers[0], nullptr, nullptr, pointers.data(), environ) != 0) return -1;
  int status = 0;
  rusage usage = {};
  ::wait4(id, &status, 0, &usage);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? usage.ru_maxrss : -1;
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

}  // namespace
}  // namespace pantanal::infer
