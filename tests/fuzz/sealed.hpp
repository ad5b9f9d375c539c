// sealed: a .safetensors file whose checksum is right again, which would otherwise hide what comes after it
// from damage.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "entry.hpp"
#include "pantanal/core/crc32c.hpp"
#include "pantanal/io/safetensors_header.hpp"

namespace pantanal::fuzz {

/// Nothing if the file states no checksum.
inline std::optional<File> sealed(Bytes bytes) {
  std::uint64_t header = 0;
  if (bytes.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header > bytes.size() - sizeof header) return std::nullopt;
  const auto digits = SafetensorsChecksum::find_digits(
      as_text(bytes.subspan(sizeof header, static_cast<std::size_t>(header))));
  if (!digits) return std::nullopt;
  File file(bytes.begin(), bytes.end());
  const auto at = file.begin() + static_cast<std::ptrdiff_t>(sizeof header + *digits);
  std::ranges::copy(SafetensorsChecksum::zeros, at);
  Crc32c crc;
  crc.update(std::as_bytes(std::span(file)));
  const std::string text = SafetensorsChecksum::text(crc.value());
  std::copy(text.begin() + SafetensorsChecksum::prefix.size(), text.end(), at);
  return file;
}

}  // namespace pantanal::fuzz
