// What every fuzzing entry is made of: a function of bytes that must end, whatever they are, without a crash.
//
// fuzz_test.cpp runs all entries on damaged copies of good files, the same ones every time. With
// PANTANAL_LIBFUZZER defined, one entry is what libFuzzer calls:
//   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -DPANTANAL_LIBFUZZER -Iinclude -Itests
//   tests/fuzz/csv.cpp
#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "io/temporary_folder.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::fuzz {

using Bytes = std::span<const std::uint8_t>;

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

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

/// `bytes` as a file of this name in a folder of the process's own.
inline std::filesystem::path as_file(const char* name, Bytes bytes) {
  static const TemporaryFolder folder;
  write_bytes(folder / name, as_text(bytes));
  return folder / name;
}

}  // namespace pantanal::fuzz

#if defined(PANTANAL_LIBFUZZER)
#define PANTANAL_FUZZ_ENTRY(name)                                                     \
  static void name(::pantanal::fuzz::Bytes);                                          \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
    name({data, size});                                                               \
    return 0;                                                                         \
  }                                                                                   \
  static void name
#else
#define PANTANAL_FUZZ_ENTRY(name) \
  namespace pantanal::fuzz {      \
  void name(Bytes);               \
  }                               \
  void pantanal::fuzz::name
#endif
