// Ogg pages, verified: the container's unit of framing. Source: RFC 3533.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/audio/byte_reader.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::audio {

inline constexpr std::size_t ogg_header_bytes = 27, most_ogg_page_bytes = ogg_header_bytes + 255 + 255 * 255;

/// One page: the header, then a table with the length of each segment, then their bytes.
struct OggPage {
  std::uint64_t position = 0;       ///< of its first byte in the file
  std::vector<std::uint8_t> bytes;  ///< all of it

  bool continued() const { return (bytes[5] & 1) != 0; }  ///< its first packet began on an earlier page
  bool begins() const { return (bytes[5] & 2) != 0; }     ///< first page of its stream
  bool ends() const { return (bytes[5] & 4) != 0; }       ///< last page of its stream
  /// Position in the stream, in the codec's units, after the last packet that ends here; -1 if none does.
  std::int64_t granule() const { return static_cast<std::int64_t>(little_endian<std::uint64_t>(&bytes[6])); }
  std::uint32_t serial() const { return little_endian<std::uint32_t>(&bytes[14]); }    ///< of its stream
  std::uint32_t sequence() const { return little_endian<std::uint32_t>(&bytes[18]); }  ///< counts its pages
  std::uint32_t checksum() const { return little_endian<std::uint32_t>(&bytes[22]); }
  std::span<const std::uint8_t> lengths() const {
    return std::span(bytes).subspan(ogg_header_bytes, bytes[26]);
  }
  std::span<const std::uint8_t> body() const {
    return std::span(bytes).subspan(ogg_header_bytes + bytes[26]);
  }
};

/// The checksum a page of these bytes must carry: CRC-32 of polynomial 0x04c11db7, highest bit first, no
/// inversion, over the page with its checksum field as zeros. At least the 27 bytes of a header.
std::uint32_t ogg_checksum(std::span<const std::uint8_t> page);

/// Bytes of the page that starts here, or 0 if no complete page does.
std::size_t ogg_page_length(std::span<const std::uint8_t> bytes);

/// Reads the page at the file's position. False at the end of the file; a page that is cut short, altered or
/// not one at all is a corrupt error.
Result<bool> read_ogg_page(ByteReader& file, OggPage& page);

namespace detail {

inline constexpr std::array<std::uint32_t, 256> ogg_crc_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i << 24;
    for (int bit = 0; bit < 8; ++bit) crc = crc << 1 ^ (crc >> 31 ? 0x04c11db7u : 0u);
    table[i] = crc;
  }
  return table;
}();

inline Error broken_page(const ByteReader& file, const OggPage& page, std::string found,
                         std::string expected) {
  return {ErrorCode::corrupt, file.name(), std::move(found) + " at byte " + std::to_string(page.position),
          std::move(expected)};
}

/// Appends `count` bytes of the file to the page; fewer is an error.
inline Status append(ByteReader& file, OggPage& page, std::size_t count) {
  const std::size_t before = page.bytes.size();
  page.bytes.resize(before + count);
  PANTANAL_TRY(const std::size_t got, file.read(std::span(page.bytes).subspan(before)));
  if (got < count)
    return broken_page(file, page, "a file cut short: the end of it inside the Ogg page", "a whole page");
  return {};
}

}  // namespace detail

inline std::uint32_t ogg_checksum(std::span<const std::uint8_t> page) {
  std::uint32_t crc = 0;
  for (std::size_t i = 0; i < page.size(); ++i) {
    const std::uint8_t byte = i >= 22 && i < 26 ? 0 : page[i];
    crc = crc << 8 ^ detail::ogg_crc_table[crc >> 24 ^ byte];
  }
  return crc;
}

inline std::size_t ogg_page_length(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < ogg_header_bytes || std::memcmp(bytes.data(), "OggS", 4) != 0 || bytes[4] != 0) return 0;
  std::size_t length = ogg_header_bytes + bytes[26];
  if (bytes.size() < length) return 0;
  for (const std::uint8_t segment : bytes.subspan(ogg_header_bytes, bytes[26])) length += segment;
  return bytes.size() < length ? 0 : length;
}

inline Result<bool> read_ogg_page(ByteReader& file, OggPage& page) {
  using namespace detail;
  page.position = file.position();
  page.bytes.clear();
  if (page.position == file.size()) return false;
  PANTANAL_TRY_STATUS(append(file, page, ogg_header_bytes));
  if (std::memcmp(page.bytes.data(), "OggS", 4) != 0 || page.bytes[4] != 0)
    return broken_page(file, page, "no Ogg page", "one, of version 0");
  PANTANAL_TRY_STATUS(append(file, page, page.bytes[26]));
  std::size_t body = 0;
  for (const std::uint8_t segment : page.lengths()) body += segment;
  PANTANAL_TRY_STATUS(append(file, page, body));
  if (ogg_checksum(page.bytes) != page.checksum())
    return broken_page(file, page, "a wrong checksum in the Ogg page", "unaltered bytes");
  return true;
}

}  // namespace pantanal::audio
