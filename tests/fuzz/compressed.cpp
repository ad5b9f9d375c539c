// FLAC, as it is and with the checksums of its frames' headers and of the frames repaired, which would
// otherwise hide the decoder from damage, and MP3.
#include "listen.hpp"

namespace pantanal::fuzz {
namespace {

std::uint8_t crc8(Bytes bytes) {
  unsigned crc = 0;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc << 1 ^ (crc & 0x80 ? 0x107u : 0u);
  }
  return static_cast<std::uint8_t>(crc);
}

std::uint16_t crc16(Bytes bytes) {
  unsigned crc = 0;
  for (const std::uint8_t byte : bytes) {
    crc ^= static_cast<unsigned>(byte) << 8;
    for (int bit = 0; bit < 8; ++bit) crc = crc << 1 ^ (crc & 0x8000 ? 0x18005u : 0u);
  }
  return static_cast<std::uint16_t>(crc);
}

/// Bytes of the frame header that may begin here, without its checksum; 0 if none does.
std::size_t header_length(Bytes bytes) {
  if (bytes.size() < 16 || bytes[0] != 0xff || (bytes[1] & 0xfe) != 0xf8) return 0;
  std::size_t length = 5;  // with a number of one byte
  for (unsigned ones = bytes[4] & 0x80 ? bytes[4] << 1 & 0xffu : 0u; ones & 0x80; ones = ones << 1 & 0xff)
    ++length;
  const unsigned block = bytes[2] >> 4, rate = bytes[2] & 15u;
  length += (block == 6 ? 1u : 0u) + (block == 7 ? 2u : 0u) + (rate == 12 ? 1u : 0u) +
            (rate == 13 || rate == 14 ? 2u : 0u);
  return length;
}

/// With right checksums wherever a frame may begin: that of its header, and that of the frame before.
File with_flac_checksums(Bytes bytes) {
  File data(bytes.begin(), bytes.end());
  std::size_t before = 0;
  const auto seal = [&](std::size_t end) {
    if (before == 0 || end < before + 4) return;
    const std::uint16_t crc = crc16(Bytes(data).subspan(before, end - 2 - before));
    data[end - 2] = static_cast<std::uint8_t>(crc >> 8), data[end - 1] = static_cast<std::uint8_t>(crc);
  };
  for (std::size_t at = 42; at < data.size(); ++at) {
    const std::size_t length = header_length(Bytes(data).subspan(at));
    if (length == 0 || at + length >= data.size()) continue;
    seal(at);
    data[at + length] = crc8(Bytes(data).subspan(at, length));
    before = at;
  }
  seal(data.size());
  return data;
}

void read_flac(Bytes bytes) {
  listen(as_file("fuzzed.flac", bytes));
  if (const File whole = with_flac_checksums(bytes); !std::ranges::equal(whole, bytes))
    listen(as_file("fuzzed.flac", whole));
}

const Registration flac({.name = "flac",
                         .read = read_flac,
                         .seeds = [] { return golden_files("audio", {".flac"}, 8000); },
                         .runs = 1500});

const Registration mp3({.name = "mp3",
                        .read = [](Bytes bytes) { listen(as_file("fuzzed.mp3", bytes)); },
                        .seeds = [] { return golden_files("audio", {".mp3"}, 8000); },
                        .runs = 1500});

}  // namespace
}  // namespace pantanal::fuzz
