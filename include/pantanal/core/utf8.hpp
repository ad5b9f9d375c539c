// UTF-8, character by character.
// Source: The Unicode Standard, version 15, table 3-7.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace pantanal {

/// Length of the well-formed UTF-8 sequence at the start of some bytes and what it encodes; length 0 if none
/// is there.
struct Utf8Sequence {
  std::size_t length = 0;
  char32_t value = 0;
};

/// The first character of `bytes`, which must not be empty.
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

/// Index of the first byte that is not part of well-formed UTF-8; npos if all is.
inline std::size_t find_not_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = read_utf8(text.substr(at)).length;
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

/// `text` with each byte that is not part of well-formed UTF-8 as \xNN, what Python's "backslashreplace"
/// makes of it.
inline std::string escape_not_utf8(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const std::size_t length = read_utf8(text).length;
    char code[8];
    std::snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(text[0])));
    escaped += length > 0 ? std::string(text.substr(0, length)) : std::string(code);
    text.remove_prefix(length > 0 ? length : 1);
  }
  return escaped;
}

}  // namespace pantanal
