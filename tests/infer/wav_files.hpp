// Recordings for the tests of pantanal-infer.
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>

#include "io/temporary_folder.hpp"

namespace pantanal::infer {

/// A mono 16-bit WAV: `seconds` of a chirp whose course depends on `seed`.
inline std::string chirp_wav(double seconds, unsigned seed = 0, std::uint32_t rate = 32000) {
  std::string bytes;
  const auto put = [&bytes](std::uint64_t value, int count) {
    for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i));
  };
  const auto samples = static_cast<std::uint32_t>(std::llround(seconds * rate));
  bytes += "RIFF";
  put(36 + 2 * std::uint64_t{samples}, 4);
  bytes += "WAVEfmt ";
  put(16, 4);
  put(1, 2);
  put(1, 2);
  put(rate, 4);
  put(2 * std::uint64_t{rate}, 4);
  put(2, 2);
  put(16, 2);
  bytes += "data";
  put(2 * std::uint64_t{samples}, 4);
  for (std::uint32_t i = 0; i < samples; ++i) {
    const double t = static_cast<double>(i) / rate;
    const double phase = 6.28318530717958648 * (500.0 + 300.0 * seed + 400.0 * t) * t;
    put(static_cast<std::uint16_t>(std::lround(12000.0 * std::sin(phase))), 2);
  }
  return bytes;
}

inline void write_chirp(const std::filesystem::path& path, double seconds, unsigned seed = 0) {
  write_bytes(path, chirp_wav(seconds, seed));
}

/// A WAV that states `seconds` and breaks off after `part` of them.
inline void write_broken_chirp(const std::filesystem::path& path, double seconds, double part) {
  const std::string whole = chirp_wav(seconds);
  write_bytes(path, std::string_view(whole).substr(
                        0, static_cast<std::size_t>(static_cast<double>(whole.size()) * part)));
}

}  // namespace pantanal::infer
