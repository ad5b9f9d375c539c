// Every reader of files, on damaged copies of good ones: the same ones every time, more of them with
// PANTANAL_FUZZ_RUNS=100000, others with PANTANAL_FUZZ_SEED=2. What is being read when the program dies lies
// in fuzz-crash-NAME in the current folder.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "entry.hpp"
#include "mutator.hpp"

namespace pantanal::fuzz {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const value = std::getenv(name);
  return value ? std::strtoull(value, nullptr, 10) : otherwise;
}

// What is being read, for whoever must report a crash.
const File* current = nullptr;
std::string crash_name;

void keep_current() {
  if (const File* const file = std::exchange(current, nullptr))
    std::ofstream(crash_name, std::ios::binary)
        .write(reinterpret_cast<const char*>(file->data()), static_cast<std::streamsize>(file->size()));
}

extern "C" void keep_current_of_signal(int signal) {
  keep_current();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

long peak_mib() {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

class Reader : public ::testing::TestWithParam<Entry> {};

/// On its good files, then on damaged ones. None may take longer than five seconds or half a gibibyte.
TEST_P(Reader, EndsWhateverItReads) {
  constexpr auto longest = std::chrono::seconds(5);
  constexpr long most_mib = 512;
  const Entry& entry = GetParam();
  const std::vector<File> seeds = seeds_of(entry);
  ASSERT_FALSE(seeds.empty());
  crash_name = std::string("fuzz-crash-") + entry.name;
  for (const int signal : {SIGABRT, SIGSEGV, SIGFPE, SIGBUS, SIGILL, SIGTERM})
    std::signal(signal, keep_current_of_signal);
  for (const File& seed : seeds) entry.read(seed);
  Mutator mutator(seeds, from_environment("PANTANAL_FUZZ_SEED", 1));
  const long before = peak_mib();
  for (std::uint64_t i = 0; i < from_environment("PANTANAL_FUZZ_RUNS", entry.runs); ++i) {
    const File file = mutator.next();
    current = &file;
    const auto start = std::chrono::steady_clock::now();
    entry.read(file);
    const bool modest = std::chrono::steady_clock::now() - start < longest && peak_mib() - before < most_mib;
    EXPECT_TRUE(modest) << "run " << i << ", kept in " << crash_name;
    if (!modest) return keep_current();
  }
  current = nullptr;
}

std::vector<Entry> sorted_entries() {
  std::vector<Entry> all = entries();
  std::ranges::sort(all, {}, [](const Entry& entry) { return std::string_view(entry.name); });
  return all;
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Reader, ::testing::ValuesIn(sorted_entries()),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace pantanal::fuzz
