// The sorted tables of LevelDB, in which TensorFlow keeps the index of a checkpoint: reading all entries of
// one. Source: https://github.com/google/leveldb/blob/main/doc/table_format.md
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pantanal/core/crc32c.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::convert {

/// CRC-32C as tables and checkpoints store it: rotated and offset, so that summing bytes which hold such a
/// sum stays sound.
inline std::uint32_t masked_crc32c(std::span<const std::byte> bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

/// One key of a table and what is stored under it, a view into the table's bytes.
struct TableEntry {
  std::string key;
  std::string_view value;
};

/// Every entry of the table in `file`, keys strictly ascending. Every block's checksum is verified, the
/// unused metaindex block's too. `where` names the file in errors: `corrupt` for whatever contradicts the
/// format, `unsupported` for a compressed block, or for keys that are together longer than a checkpoint's
/// ever are (prefix compression would let a small file ask for much memory).
Result<std::vector<TableEntry>> read_sorted_table(std::string_view file, std::string_view where);

}  // namespace pantanal::convert
