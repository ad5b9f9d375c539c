// File names, which are bytes, as Unicode text that keeps every byte.
// Source: Python Enhancement Proposal 383, "Non-decodable Bytes in System Character Interfaces".
#pragma once

#include <string>
#include <string_view>

#include "pantanal/core/utf8.hpp"

namespace pantanal::output {

/// `name` as Python's os.fsdecode gives it: UTF-8, each byte b that is not part of it as U+DC00 + b, so that
/// os.fsencode gives the name back.
inline std::u32string decode_file_name(std::string_view name) {
  std::u32string text;
  while (!name.empty()) {
    const auto [length, value] = read_utf8(name);
    text += length > 0 ? value : 0xdc00u + static_cast<unsigned char>(name.front());
    name.remove_prefix(length > 0 ? length : 1);
  }
  return text;
}

}  // namespace pantanal::output
