// Ogg Vorbis files, as they are and with the checksums of their pages repaired, which would otherwise hide
// the decoder from damage.
#include <span>

#include "audio/ogg_writer.hpp"
#include "listen.hpp"

namespace pantanal::fuzz {
namespace {

/// Writes the right checksum into every page that is whole.
File with_checksums(Bytes bytes) {
  constexpr std::size_t header = 27;
  File data(bytes.begin(), bytes.end());
  for (std::size_t at = 0; at + header <= data.size() && data[at] == 'O';) {
    const std::size_t segments = data[at + header - 1];
    if (at + header + segments > data.size()) break;
    std::size_t length = header + segments;
    for (std::size_t i = 0; i < segments; ++i) length += data[at + header + i];
    if (at + length > data.size()) break;
    audio::repair_checksum(std::span(data).subspan(at, length));
    at += length;
  }
  return data;
}

void read_ogg(Bytes bytes) {
  listen(as_file("fuzzed.ogg", bytes));
  if (const File whole = with_checksums(bytes); !std::ranges::equal(whole, bytes))
    listen(as_file("fuzzed.ogg", whole));
}

const Registration ogg({.name = "ogg",
                        .read = read_ogg,
                        .seeds = [] { return golden_files("audio", {".ogg"}, 10000); },
                        .runs = 700});

}  // namespace
}  // namespace pantanal::fuzz
