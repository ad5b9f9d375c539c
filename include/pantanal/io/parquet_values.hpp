// What a Parquet page is made of: runs of small numbers, plain values.
// Source: Apache Parquet format 2.10, Encodings.md: "RLE/bit-packing hybrid", "Plain".
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pantanal/io/varint.hpp"

namespace pantanal {

/// Physical types, by their numbers in a file.
enum class ParquetType : std::uint8_t {
  boolean = 0,
  int32 = 1,
  int64 = 2,
  int96 = 3,
  real32 = 4,
  real64 = 5,
  bytes = 6,
  fixed = 7
};

/// Values of one column, as texts or as numbers, by its type; nulls have none.
struct ParquetValues {
  std::vector<std::string> texts;
  std::vector<double> numbers;
};

/// The first `count` numbers of `width` bits (0 to 32) in runs, equal or packed; nothing if there are fewer.
inline std::optional<std::vector<std::uint32_t>> read_parquet_runs(std::span<const std::byte> bytes,
                                                                   unsigned width, std::size_t count) {
  std::vector<std::uint32_t> values;
  if (width > 32) return std::nullopt;
  std::size_t at = 0;
  while (values.size() < count) {
    const std::optional<std::uint64_t> head = read_varint(bytes, at, 5);
    if (!head) return std::nullopt;
    const auto run = static_cast<std::size_t>(*head >> 1);
    const std::size_t size = *head & 1 ? run * width : (width + 7) / 8;
    if (run == 0 || size > bytes.size() - at) return std::nullopt;
    if (*head & 1) {
      for (std::size_t i = 0; i < 8 * run && values.size() < count; ++i) {
        std::uint32_t value = 0;
        for (unsigned bit = 0; bit < width; ++bit) {
          const std::size_t place = i * width + bit;
          value |= (static_cast<std::uint32_t>(bytes[at + place / 8]) >> place % 8 & 1u) << bit;
        }
        values.push_back(value);
      }
    } else {
      std::uint32_t value = 0;
      for (std::size_t i = 0; i < size; ++i) value |= static_cast<std::uint32_t>(bytes[at + i]) << 8 * i;
      if (width < 32 && value >> width != 0) return std::nullopt;
      values.insert(values.end(), std::min(run, count - values.size()), value);
    }
    at += size;
  }
  return values;
}

/// The first `count` plain values of a type that has texts or numbers; nothing if there are fewer.
inline std::optional<ParquetValues> read_parquet_plain(std::span<const std::byte> bytes, ParquetType type,
                                                       std::size_t count) {
  static_assert(std::endian::native == std::endian::little, "values are read as they are in memory");
  ParquetValues values;
  const auto number = [&]<class T>(T value) {
    std::memcpy(&value, bytes.data(), sizeof value);
    values.numbers.push_back(static_cast<double>(value));
  };
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t size = type == ParquetType::int32 || type == ParquetType::real32 ? 4 : 8;
    if (type == ParquetType::bytes) {
      if (bytes.size() < 4) return std::nullopt;
      std::memcpy(&size, bytes.data(), 4);
      bytes = bytes.subspan(4);
    }
    if (bytes.size() < size) return std::nullopt;
    if (type == ParquetType::int32) number(std::int32_t{});
    if (type == ParquetType::int64) number(std::int64_t{});
    if (type == ParquetType::real32) number(float{});
    if (type == ParquetType::real64) number(double{});
    if (type == ParquetType::bytes)
      values.texts.emplace_back(reinterpret_cast<const char*>(bytes.data()), size);
    bytes = bytes.subspan(size);
  }
  return values;
}

}  // namespace pantanal
