// Files that tools/fixtures/patches.py describes by what differs from another file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace pantanal::convert::fixtures {

/// Applies records of (offset, length, fresh: uint32) and `fresh` bytes to `old`.
inline std::string patched(std::string_view old, std::span<const std::byte> patch) {
  std::string result;
  while (!patch.empty()) {
    std::uint32_t record[3];
    if (patch.size() < sizeof record) throw std::runtime_error("a patch that is cut off");
    std::memcpy(record, patch.data(), sizeof record);
    patch = patch.subspan(sizeof record);
    result += old.substr(record[0], record[1]);
    result.append(reinterpret_cast<const char*>(patch.data()), patch.first(record[2]).size());
    patch = patch.subspan(record[2]);
  }
  return result;
}

}  // namespace pantanal::convert::fixtures
