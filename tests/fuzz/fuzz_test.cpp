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

#include "convert/checkpoint_writer.hpp"
#include "entry.hpp"
#include "mutator.hpp"
#include "pantanal/perch/architecture_json.hpp"
#include "perch/random_model.hpp"

namespace pantanal::fuzz {

void fuzz_safetensors(Bytes);
void fuzz_architecture(Bytes);
void fuzz_audio(Bytes);
void fuzz_class_lists(Bytes);
void fuzz_onnx(Bytes);
void fuzz_parquet(Bytes);
void fuzz_tensor_bundle(Bytes);

namespace {

using File = Mutator::File;

const std::string golden = std::string(PANTANAL_SOURCE_DIR) + "/tests/golden/";

File as_seed(std::string_view text) { return File(text.begin(), text.end()); }

/// Files below tests/golden with one of these extensions, sorted.
std::vector<File> golden_files(const std::string& folder, std::initializer_list<std::string_view> extensions,
                               std::size_t largest) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(golden + folder))
    for (const std::string_view extension : extensions)
      if (entry.path().extension() == extension && entry.file_size() <= largest)
        paths.push_back(entry.path());
  std::ranges::sort(paths);
  std::vector<File> files;
  for (const auto& path : paths) files.push_back(as_seed(read_bytes(path)));
  return files;
}

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

/// Runs `entry` on the seeds, then on `runs` damaged ones. None may take longer than ten seconds or half a
/// gibibyte.
void fuzz(const char* name, void (*entry)(Bytes), const std::vector<File>& seeds, std::uint64_t runs) {
  constexpr auto longest = std::chrono::seconds(10);
  constexpr long most_mib = 512;
  ASSERT_FALSE(seeds.empty());
  crash_name = std::string("fuzz-crash-") + name;
  for (const int signal : {SIGABRT, SIGSEGV, SIGFPE, SIGBUS, SIGILL, SIGTERM})
    std::signal(signal, keep_current_of_signal);
  for (const File& seed : seeds) entry(seed);
  Mutator mutator(seeds, from_environment("PANTANAL_FUZZ_SEED", 1));
  const long before = peak_mib();
  for (std::uint64_t i = 0; i < from_environment("PANTANAL_FUZZ_RUNS", runs); ++i) {
    const File file = mutator.next();
    current = &file;
    const auto start = std::chrono::steady_clock::now();
    entry(file);
    const bool modest = std::chrono::steady_clock::now() - start < longest && peak_mib() - before < most_mib;
    EXPECT_TRUE(modest) << "run " << i << ", kept in " << crash_name;
    if (!modest) return keep_current();
  }
  current = nullptr;
}

TEST(Fuzz, Safetensors) {
  std::vector<File> seeds = golden_files("safetensors", {".safetensors"}, 10000);
  fuzz("safetensors", fuzz_safetensors, seeds, 4000);
}

TEST(Fuzz, Architecture) {
  std::vector<File> seeds;
  for (const perch::Architecture& architecture :
       {perch::fixtures::smallest_architecture(), perch::fixtures::tiny_architecture()})
    seeds.push_back(as_seed(perch::architecture_json(architecture)));
  fuzz("architecture", fuzz_architecture, seeds, 4000);
}

TEST(Fuzz, Audio) { fuzz("audio", fuzz_audio, golden_files("audio", {".wav", ".ogg"}, 10000), 1200); }

TEST(Fuzz, ClassLists) {
  const std::vector<File> seeds = {
      as_seed("inat2024_fsd50k\r\nAdenomera andreae\r\n\"Ccc, ddd\"\r\nJ\xc3\xb3hann\r\n"),
      as_seed(
          "primary_label,inat_taxon_id,scientific_name,common_name,class_name\n1,2,Caiman yacare,x,Reptilia\n"
          "3,4,Adenomera x,\"y, z\",Amphibia\n"),
      as_seed("# mine\nTurdus merula\n\nCaiman yacare\n")};
  fuzz("class_lists", fuzz_class_lists, seeds, 6000);
}

TEST(Fuzz, Onnx) {
  std::vector<File> seeds = golden_files("perch", {".onnx"}, 75000);
  fuzz("onnx", fuzz_onnx, seeds, 250);
}

TEST(Fuzz, Parquet) { fuzz("parquet", fuzz_parquet, golden_files("parquet", {".parquet"}, 20000), 4000); }

TEST(Fuzz, TensorBundle) {
  using namespace convert::fixtures;
  std::vector<File> seeds = golden_files("tensor_bundle", {".index"}, 10000);
  const std::string block = block_entry(0, "", bundle_header(1)) +
                            block_entry(0, "a/one", bundle_entry(1, {2, 3}, 3, 24, 7)) +
                            block_entry(2, "two", bundle_entry(1, {4}, 27, 16, 9)) + block_end();
  seeds.push_back(as_seed(block));
  fuzz("tensor_bundle", fuzz_tensor_bundle, seeds, 2500);
}

}  // namespace
}  // namespace pantanal::fuzz
