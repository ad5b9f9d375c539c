// OggPackets: the packets of one stream in an Ogg file, page by page, with nothing missing between them.
// Source: RFC 3533.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/audio/byte_reader.hpp"
#include "pantanal/audio/ogg_page.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::audio {

/// Demultiplexes one logical stream. A missing, repeated, altered or cut page is an error, as is a second
/// recording chained behind the first.
class OggPackets {
 public:
  /// A longer packet loses its rest: none with audio is as long, but one with comments may carry a picture.
  static constexpr std::size_t most_packet_bytes = 1 << 20;

  /// Finds the stream whose first packet begins with `signature` among those that begin the file, and makes
  /// the page with that packet, which holds nothing else, the current one. If there is none the error names
  /// the codecs that there are, and `wanted`.
  static Result<OggPackets> open(ByteReader file, std::string_view signature, std::string_view wanted);

  /// Goes on to the stream's next page. False after its last; a file that stops before that is an error.
  Result<bool> next_page();

  const OggPage& page() const { return page_; }
  const std::string& name() const { return file_.name(); }

  /// Number of packets that end on the current page, perhaps begun on earlier ones.
  std::size_t size() const { return packets_.size(); }
  /// Packet i of the current page; gone after next_page().
  std::span<const std::uint8_t> operator[](std::size_t i) const {
    return std::span(bytes_).subspan(packets_[i].begin, packets_[i].length);
  }
  /// Whether packet i was longer than most_packet_bytes.
  bool truncated(std::size_t i) const { return packets_[i].truncated; }

  /// The position that the stream's last page states, if that page is where one expects it, near the end of
  /// the file. The current page stays.
  Result<std::optional<std::int64_t>> last_granule();

 private:
  struct Packet {
    std::size_t begin = 0, length = 0;
    bool truncated = false;
  };

  explicit OggPackets(ByteReader file) : file_(std::move(file)) {}

  Status take_page();
  Status check_nothing_follows();
  Error broken(std::string found, std::string expected, ErrorCode code = ErrorCode::corrupt) const {
    return {code, file_.name(), std::move(found), std::move(expected)};
  }

  ByteReader file_;
  OggPage page_;
  std::vector<std::uint8_t> bytes_;   // of the packets, the unfinished one last
  std::vector<Packet> packets_;       // that end on the current page
  std::optional<Packet> unfinished_;  // that goes on on the next page
  bool beginning_ = true;             // every page so far was the first of its stream
  bool ended_ = false;
};

namespace detail {

/// The name of the codec whose stream begins with this packet.
inline std::string ogg_codec(std::span<const std::uint8_t> packet) {
  constexpr std::pair<std::string_view, const char*> signatures[] = {
      {"\x01vorbis", "Vorbis"}, {"OpusHead", "Opus"},     {"\x7f\x46LAC", "FLAC"}, {"fLaC", "FLAC"},
      {"Speex   ", "Speex"},    {"\x80theora", "Theora"}, {"fishead", "Skeleton"}, {"BBCD", "Dirac"}};
  const std::string_view text(reinterpret_cast<const char*>(packet.data()), packet.size());
  for (const auto& [signature, name] : signatures)
    if (text.starts_with(signature)) return name;
  return "an unknown codec";
}

}  // namespace detail

inline Result<OggPackets> OggPackets::open(ByteReader file, std::string_view signature,
                                           std::string_view wanted) {
  OggPackets packets(std::move(file));
  constexpr int most_streams = 100;
  std::string codecs;
  for (int stream = 0; stream < most_streams; ++stream) {
    PANTANAL_TRY(const bool there, read_ogg_page(packets.file_, packets.page_));
    if (!there || !packets.page_.begins()) break;
    const auto body = packets.page_.body();
    if (std::string_view(reinterpret_cast<const char*>(body.data()), body.size()).starts_with(signature)) {
      PANTANAL_TRY_STATUS(packets.take_page());
      if (packets.size() == 1 && !packets.unfinished_) return packets;
      return packets.broken("a first page with more than its stream's first packet", "that packet alone");
    }
    codecs += (codecs.empty() ? "" : ", ") + detail::ogg_codec(body);
  }
  if (codecs.empty())
    return packets.broken("an Ogg file whose beginning is missing", "a stream's first page");
  return packets.broken("Ogg with " + codecs, "Ogg with " + std::string(wanted), ErrorCode::unsupported);
}

inline Result<bool> OggPackets::next_page() {
  if (ended_) return false;
  if (page_.ends()) {
    ended_ = true;
    packets_.clear();
    if (unfinished_) return broken("a last packet without its end", "whole packets");
    PANTANAL_TRY_STATUS(check_nothing_follows());
    return false;
  }
  const std::uint32_t serial = page_.serial(), sequence = page_.sequence() + 1;
  for (;;) {
    PANTANAL_TRY(const bool there, read_ogg_page(file_, page_));
    if (!there)
      return broken("a file cut short: it ends before its stream does", "a page that is marked as the last");
    beginning_ = beginning_ && page_.begins();
    if (page_.begins() && (!beginning_ || page_.serial() == serial))
      return broken("another stream chained to the first, at byte " + std::to_string(page_.position),
                    "one recording in a file", ErrorCode::unsupported);
    if (page_.serial() == serial) break;
  }
  if (page_.sequence() != sequence)
    return broken("page " + std::to_string(page_.sequence()) + " at byte " + std::to_string(page_.position),
                  "page " + std::to_string(sequence) + " of the stream");
  PANTANAL_TRY_STATUS(take_page());
  return true;
}

/// Splits the current page into packets.
inline Status OggPackets::take_page() {
  if (page_.continued() != unfinished_.has_value())
    return broken("a page at byte " + std::to_string(page_.position) + " that " +
                      (unfinished_ ? "drops the packet before it" : "continues no packet"),
                  "whole packets");
  packets_.clear();
  Packet packet = unfinished_.value_or(Packet{.begin = bytes_.size(), .length = 0, .truncated = false});
  bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(packet.begin));
  packet.begin = 0;
  bool goes_on = unfinished_.has_value();
  std::size_t at = 0;
  for (const std::uint8_t segment : page_.lengths()) {
    const std::size_t kept = std::min<std::size_t>(segment, most_packet_bytes - packet.length);
    const auto piece = page_.body().subspan(at, kept);
    bytes_.insert(bytes_.end(), piece.begin(), piece.end());
    packet.length += kept;
    packet.truncated |= kept < segment;
    at += segment;
    goes_on = segment == 255;
    if (goes_on) continue;
    packets_.push_back(packet);
    packet = {.begin = bytes_.size(), .length = 0, .truncated = false};
  }
  unfinished_ = goes_on ? std::optional(packet) : std::nullopt;
  return {};
}

/// After the stream's last page: a further stream would go unheard. Whatever else follows is none of ours.
inline Status OggPackets::check_nothing_follows() {
  OggPage page;
  for (;;) {
    const auto there = read_ogg_page(file_, page);
    if (!there || !*there) return {};
    if (page.begins())
      return broken("another stream chained to the first, at byte " + std::to_string(page.position),
                    "one recording in a file", ErrorCode::unsupported);
  }
}

inline Result<std::optional<std::int64_t>> OggPackets::last_granule() {
  const std::uint64_t here = file_.position();
  std::vector<std::uint8_t> tail(
      static_cast<std::size_t>(std::min<std::uint64_t>(2 * most_ogg_page_bytes, file_.size())));
  PANTANAL_TRY_STATUS(file_.seek(file_.size() - tail.size()));
  PANTANAL_TRY(const std::size_t got, file_.read(tail));
  PANTANAL_TRY_STATUS(file_.seek(here));
  std::optional<std::int64_t> granule;
  OggPage page;
  for (std::size_t at = 0; at < got;) {
    const auto rest = std::span(tail).first(got).subspan(at);
    const std::size_t length = ogg_page_length(rest);
    page.bytes.assign(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(length));
    const bool sound = length > 0 && ogg_checksum(page.bytes) == page.checksum();
    if (sound && page.serial() == page_.serial() && page.ends() && page.granule() >= 0)
      granule = page.granule();
    at += sound ? length : 1;
  }
  return granule;
}

}  // namespace pantanal::audio
