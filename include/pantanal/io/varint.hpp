// read_varint: numbers in LEB128, seven bits to a byte, as Thrift, Snappy and Parquet have them.
// Source: DWARF Debugging Information Format 5, section 7.6.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace pantanal {

/// The unsigned number at bytes[at], of at most `most_bytes` (1 to 10) bytes; `at` goes behind it. Bits
/// beyond the 64th are dropped. Nothing if the bytes end within it or it is longer; `at` is then behind what
/// was read.
inline std::optional<std::uint64_t> read_varint(std::span<const std::byte> bytes, std::size_t& at,
                                                unsigned most_bytes) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < most_bytes && at < bytes.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(bytes[at++]);
    value |= std::uint64_t{byte & 127u} << 7 * i;
    if (byte < 128) return value;
  }
  return std::nullopt;
}

}  // namespace pantanal
