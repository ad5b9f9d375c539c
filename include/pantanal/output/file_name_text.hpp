// File names, which are bytes, as Unicode text that keeps every byte.
// Source: Python Enhancement Proposal 383, "Non-decodable Bytes in System Character Interfaces".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pantanal::output {

namespace detail {

/// Length of the well-formed UTF-8 sequence at the start of `bytes` and what it encodes; length 0 if none is
/// there (Unicode 15, table 3-7).
struct Utf8Sequence {
  std::size_t length = 0;
  char32_t value = 0;
};

inline Utf8Sequence read_utf8(std::string_view bytes) {
  const auto byte = [bytes](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {1, lead};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || bytes.size() < length) return {};
  char32_t value = lead & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    value = value << 6 | (byte(i) & 0x3fu);
  }
  constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = value >= 0xd800 && value < 0xe000;
  if (value < smallest[length] || value > 0x10ffff || is_surrogate) return {};
  return {length, value};
}

}  // namespace detail

/// `name` as Python's os.fsdecode gives it: UTF-8, each byte b that is not part of it as U+DC00 + b, so that
/// os.fsencode gives the name back.
inline std::u32string decode_file_name(std::string_view name) {
  std::u32string text;
  while (!name.empty()) {
    const auto [length, value] = detail::read_utf8(name);
    text += length > 0 ? value : 0xdc00u + static_cast<unsigned char>(name.front());
    name.remove_prefix(length > 0 ? length : 1);
  }
  return text;
}

}  // namespace pantanal::output
