// decompress_snappy: a block in Snappy's raw format.
// Source: Google, "Snappy compressed format description", format_description.txt of its repository.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "pantanal/io/varint.hpp"

namespace pantanal {

/// The `size` bytes that `block` holds; nothing if it is damaged or holds another number of them. A block of
/// n bytes cannot hold more than 22·n: nothing larger is allocated.
inline std::optional<std::vector<std::byte>> decompress_snappy(std::span<const std::byte> block,
                                                               std::size_t size) {
  std::size_t at = 0;
  const auto take = [&](std::size_t count) {  // a little-endian number of that many bytes
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i)
      value |= std::uint64_t{static_cast<std::uint8_t>(block[at++])} << 8 * i;
    return static_cast<std::size_t>(value);
  };
  const std::optional<std::uint64_t> announced = read_varint(block, at, 5);
  if (announced != size || size / 22 > block.size()) return std::nullopt;
  std::vector<std::byte> out(size);
  std::size_t filled = 0;
  while (at < block.size()) {
    const std::size_t tag = take(1), kind = tag & 3, left = block.size() - at;
    const std::size_t extra = kind != 0 ? (kind == 3 ? 4 : kind) : tag >> 2 < 60 ? 0 : (tag >> 2) - 59;
    if (extra > left) return std::nullopt;
    if (kind == 0) {  // a literal; its length is in the tag, or follows
      const std::size_t length = (extra == 0 ? tag >> 2 : take(extra)) + 1;
      if (length > block.size() - at || length > size - filled) return std::nullopt;
      std::memcpy(out.data() + filled, block.data() + at, length);
      at += length, filled += length;
      continue;
    }
    const std::size_t length = kind == 1 ? (tag >> 2 & 7) + 4 : (tag >> 2) + 1;
    const std::size_t offset = kind == 1 ? (tag >> 5) << 8 | take(1) : take(extra);
    if (offset == 0 || offset > filled || length > size - filled) return std::nullopt;
    for (std::size_t i = 0; i < length; ++i, ++filled) out[filled] = out[filled - offset];  // may overlap
  }
  if (filled != size) return std::nullopt;
  return out;
}

}  // namespace pantanal
