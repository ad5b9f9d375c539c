// What every fuzzing entry is made of: a reader, which must end without a crash whatever bytes it gets, and
// good files to damage.
//
// fuzz_test.cpp runs every entry on damaged copies of its good files, the same ones every time. tools/fuzz
// runs one at a time under libFuzzer, for as long as one likes.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/temporary_folder.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::fuzz {

using Bytes = std::span<const std::uint8_t>;
using File = std::vector<std::uint8_t>;

/// A reader of some format.
struct Entry {
  const char* name;
  void (*read)(Bytes);
  std::vector<File> (*seeds)();  ///< good files, beside those in tests/fuzz/corpus/NAME
  std::uint64_t runs;            ///< of fuzz_test: about a second of them
};

/// Every entry of the program.
inline std::vector<Entry>& entries() {
  static std::vector<Entry> all;
  return all;
}

/// At namespace scope in a reader's file: makes it known.
struct Registration {
  explicit Registration(const Entry& entry) { entries().push_back(entry); }
};

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline File as_seed(std::string_view text) { return File(text.begin(), text.end()); }

/// A broken promise ends the program, as a crash would.
inline void require(bool kept, const char* promise) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

/// An error says something, and a value is a value.
template <class T>
bool succeeded(const Result<T>& result) {
  if (!result) require(!result.error().message().empty(), "an error has a message");
  return result.ok();
}

/// The process's own folder for files to be read.
inline const TemporaryFolder& folder() {
  static const TemporaryFolder folder;
  return folder;
}

/// `bytes` as a file of this name in that folder.
inline std::filesystem::path as_file(const char* name, Bytes bytes) {
  write_bytes(folder() / name, as_text(bytes));
  return folder() / name;
}

/// Files below a folder with one of these extensions (any, if there are none), sorted by name. None if there
/// is no such folder.
inline std::vector<File> files_below(const std::filesystem::path& folder,
                                     std::initializer_list<std::string_view> extensions,
                                     std::size_t largest) {
  std::vector<std::filesystem::path> paths;
  if (!std::filesystem::exists(folder)) return {};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const bool fits = extensions.size() == 0 ||
                      std::ranges::find(extensions, entry.path().extension().string()) != extensions.end();
    if (entry.is_regular_file() && fits && entry.file_size() <= largest) paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  std::vector<File> files;
  for (const auto& path : paths) files.push_back(as_seed(read_bytes(path)));
  return files;
}

/// Of a folder below tests/golden.
inline std::vector<File> golden_files(const std::string& folder,
                                      std::initializer_list<std::string_view> extensions,
                                      std::size_t largest) {
  return files_below(std::string(PANTANAL_SOURCE_DIR) + "/tests/golden/" + folder, extensions, largest);
}

/// An entry's good files and those of its corpus.
inline std::vector<File> seeds_of(const Entry& entry) {
  std::vector<File> seeds = entry.seeds();
  for (File& file :
       files_below(std::string(PANTANAL_SOURCE_DIR) + "/tests/fuzz/corpus/" + entry.name, {}, SIZE_MAX))
    seeds.push_back(std::move(file));
  return seeds;
}

}  // namespace pantanal::fuzz
