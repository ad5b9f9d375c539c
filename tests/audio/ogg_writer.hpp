// Ogg files put together from packets, or taken apart and repaired, for tests.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pantanal/audio/ogg_page.hpp"

namespace pantanal::audio {

using Bytes = std::vector<std::uint8_t>;

/// What a page's header says beside its contents.
struct PageHeader {
  std::uint8_t flags = 0;  ///< 1 continued, 2 first, 4 last
  std::int64_t granule = 0;
  std::uint32_t serial = 7, sequence = 0;
};

template <class T>
void put(Bytes& bytes, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    bytes.push_back(static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> 8 * i));
}

/// Writes the right checksum into a whole page.
inline void repair_checksum(std::span<std::uint8_t> page) {
  const std::uint32_t checksum = ogg_checksum(page);
  for (int i = 0; i < 4; ++i)
    page[static_cast<std::size_t>(22 + i)] = static_cast<std::uint8_t>(checksum >> 8 * i);
}

/// A page of these segments, whose lengths are `lengths`.
inline Bytes ogg_page(const PageHeader& header, std::span<const std::uint8_t> lengths,
                      std::span<const std::uint8_t> body) {
  Bytes page = {'O', 'g', 'g', 'S', 0, header.flags};
  put(page, header.granule);
  put(page, header.serial);
  put(page, header.sequence);
  put(page, std::uint32_t{0});
  page.push_back(static_cast<std::uint8_t>(lengths.size()));
  page.insert(page.end(), lengths.begin(), lengths.end());
  page.insert(page.end(), body.begin(), body.end());
  repair_checksum(page);
  return page;
}

/// A page with whole packets, whose segments must be 255 at most.
inline Bytes ogg_page(const PageHeader& header, const std::vector<Bytes>& packets) {
  Bytes lengths, body;
  for (const Bytes& packet : packets) {
    lengths.insert(lengths.end(), packet.size() / 255, 255);
    lengths.push_back(static_cast<std::uint8_t>(packet.size() % 255));
    body.insert(body.end(), packet.begin(), packet.end());
  }
  return ogg_page(header, lengths, body);
}

inline Bytes joined(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

/// The pages of a sound Ogg file.
inline std::vector<Bytes> ogg_pages(std::span<const std::uint8_t> file) {
  std::vector<Bytes> pages;
  while (const std::size_t length = ogg_page_length(file)) {
    pages.emplace_back(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(length));
    file = file.subspan(length);
  }
  return pages;
}

/// The packets of a sound Ogg file of one stream.
inline std::vector<Bytes> ogg_packets(std::span<const std::uint8_t> file) {
  std::vector<Bytes> packets;
  Bytes packet;
  for (const Bytes& bytes : ogg_pages(file)) {
    const OggPage page{.position = 0, .bytes = bytes};
    auto body = page.body();
    for (const std::uint8_t length : page.lengths()) {
      packet.insert(packet.end(), body.begin(), body.begin() + length);
      body = body.subspan(length);
      if (length == 255) continue;
      packets.push_back(packet);
      packet.clear();
    }
  }
  return packets;
}

}  // namespace pantanal::audio
