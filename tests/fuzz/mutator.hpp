// Mutator: damages good files, the same way for the same seed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "entry.hpp"

namespace pantanal::fuzz {

class Mutator {
 public:
  Mutator(std::vector<File> seeds, std::uint64_t seed) : seeds_(std::move(seeds)), engine_(seed) {}

  /// One of the files with one to six wounds, most of them near its beginning, where headers are.
  File next() {
    File file = seeds_[below(seeds_.size())];
    for (std::size_t wounds = 1 + below(6); wounds > 0; --wounds) damage(file);
    return file;
  }

 private:
  std::size_t below(std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(engine_() % n); }

  std::size_t place(const File& file) {
    const double u = static_cast<double>(engine_() >> 11) * 0x1p-53;
    return static_cast<std::size_t>(static_cast<double>(file.size()) * (below(4) == 0 ? u : u * u * u));
  }

  static auto at(File& file, std::size_t offset) {
    return file.begin() + static_cast<std::ptrdiff_t>(offset);
  }

  void damage(File& file) {
    const std::size_t offset = place(file), rest = file.size() - offset;
    switch (below(8)) {
      case 0:
        if (rest > 0) file[offset] = static_cast<std::uint8_t>(file[offset] ^ 1u << below(8));
        return;
      case 1:
        if (rest > 0) file[offset] = static_cast<std::uint8_t>(engine_());
        return;
      case 2:
        return overwrite_number(file, offset);
      case 3:
        file.erase(at(file, offset), at(file, offset + std::min(rest, 1 + below(16))));
        return;
      case 4: {
        const File again(at(file, offset), at(file, offset + std::min(rest, 1 + below(64))));
        file.insert(at(file, place(file)), again.begin(), again.end());
        return;
      }
      case 5:
        file.insert(at(file, offset), 1 + below(8), static_cast<std::uint8_t>(engine_()));
        return;
      case 6: {
        const File& other = seeds_[below(seeds_.size())];
        const std::size_t begin = std::min(place(other), other.size());
        const auto from = other.begin() + static_cast<std::ptrdiff_t>(begin);
        file.insert(at(file, offset), from,
                    from + static_cast<std::ptrdiff_t>(std::min(other.size() - begin, below(256))));
        return;
      }
      default:
        if (below(4) == 0) file.resize(offset);
    }
  }

  /// Numbers at which sizes overflow, in 1, 2, 4 or 8 little-endian bytes.
  void overwrite_number(File& file, std::size_t offset) {
    constexpr std::uint64_t numbers[] = {0,          1,          0x7f,       0x80,       0xff,
                                         0x7fff,     0x8000,     0xffff,     0x7fffffff, 0x80000000,
                                         0xffffffff, 1ull << 40, 1ull << 62, 1ull << 63, ~0ull};
    const std::uint64_t number = numbers[below(std::size(numbers))];
    const std::size_t size = std::size_t{1} << below(4);
    for (std::size_t i = 0; i < size && offset + i < file.size(); ++i)
      file[offset + i] = static_cast<std::uint8_t>(number >> 8 * i);
  }

  std::vector<File> seeds_;
  std::mt19937_64 engine_;
};

}  // namespace pantanal::fuzz
