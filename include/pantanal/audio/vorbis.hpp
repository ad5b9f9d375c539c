// VorbisSource: the samples of an Ogg Vorbis file, decoded as it streams by, and no fewer than it promises.
// Source: Xiph.Org Foundation, "Vorbis I specification" (2020), sections 1.3.2 and 4.3, appendix A.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/audio/byte_reader.hpp"
#include "pantanal/audio/ogg_packets.hpp"
#include "pantanal/audio/source.hpp"
#include "pantanal/audio/vorbis_decoder.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::audio {

/// Breaks where a page is missing, altered or cut short, where a packet does not decode, and where positions
/// stated by pages leave the audio by more than a block: then something is missing that was there once.
/// Frames before position 0 and after the last page's position are cut, as the encoder meant it.
class VorbisSource final : public Source {
 public:
  /// Takes a file that begins with an Ogg page. Errors: corrupt; unsupported, naming the codec or the
  /// feature.
  static Result<std::unique_ptr<Source>> open(ByteReader file);

  const Format& format() const override { return format_; }

 private:
  static constexpr std::int64_t most_frames = std::int64_t{1} << 60;  // far from overflow

  VorbisSource(OggPackets packets, VorbisDecoder decoder, std::size_t next_packet)
      : packets_(std::move(packets)), decoder_(std::move(decoder)), next_packet_(next_packet) {}

  Status read_format();
  Result<std::size_t> read_some(std::span<float> interleaved) override;
  std::size_t take_decoded(std::span<float> interleaved);
  Status decode_packet();
  Status turn_page();
  Status place_page();
  Status check_neighbours(const VorbisBlock& block) const;
  Error corrupt(std::string found, std::string expected) const {
    return {ErrorCode::corrupt, packets_.name(), std::move(found), std::move(expected)};
  }

  OggPackets packets_;
  VorbisDecoder decoder_;
  Format format_;
  std::size_t next_packet_ = 0;       // on the current page
  std::optional<VorbisBlock> block_;  // the last one decoded

  // Frames are counted from the middle of the first block.
  std::uint64_t complete_ = 0;                                     // that the decoded packets amount to
  std::uint64_t taken_ = 0;                                        // passed on or cut
  std::uint64_t begin_ = 0;                                        // the first to pass on
  std::uint64_t end_ = std::numeric_limits<std::uint64_t>::max();  // behind the last to pass on
  std::optional<std::int64_t> origin_;                             // position of frame 0
  std::optional<Error> missing_;                                   // what to say after the last frame
  bool finished_ = false;
  std::vector<float> decoded_;     // interleaved; the frames from taken_ on begin at decoded_begin_
  std::size_t decoded_begin_ = 0;  // in frames
};

namespace detail {

/// The three header packets, and where the audio begins.
struct VorbisStart {
  std::vector<std::uint8_t> identification, setup;
  std::size_t next_packet = 0;  // on the current page
};

inline Result<VorbisStart> read_vorbis_start(OggPackets& packets) {
  VorbisStart start{.identification = {packets[0].begin(), packets[0].end()}, .setup = {}, .next_packet = 1};
  for (const VorbisHeader type : {VorbisHeader::comment, VorbisHeader::setup}) {
    while (start.next_packet == packets.size()) {
      PANTANAL_TRY(const bool there, packets.next_page());
      if (!there)
        return Error{ErrorCode::corrupt, packets.name(), "the end of a Vorbis stream", "its headers"};
      start.next_packet = 0;
    }
    const std::size_t i = start.next_packet++;
    if (!is_vorbis_header(packets[i], type) || (type == VorbisHeader::setup && packets.truncated(i)))
      return Error{
          ErrorCode::corrupt, packets.name(), "another packet",
          type == VorbisHeader::comment ? "Vorbis comments" : "a Vorbis setup header of less than 1 MiB"};
    if (type == VorbisHeader::setup) start.setup.assign(packets[i].begin(), packets[i].end());
  }
  return start;
}

}  // namespace detail

inline Result<std::unique_ptr<Source>> VorbisSource::open(ByteReader file) {
  PANTANAL_TRY(OggPackets packets, OggPackets::open(std::move(file), "\x01vorbis", "Vorbis"));
  PANTANAL_TRY(const detail::VorbisStart start, detail::read_vorbis_start(packets));
  PANTANAL_TRY(VorbisDecoder decoder, VorbisDecoder::open(start.identification, start.setup, packets.name()));
  std::unique_ptr<VorbisSource> source(
      new VorbisSource(std::move(packets), std::move(decoder), start.next_packet));
  PANTANAL_TRY_STATUS(source->read_format());
  return std::unique_ptr<Source>(std::move(source));
}

/// Goes on to the first packet of audio, which the length depends on.
inline Status VorbisSource::read_format() {
  format_ = {.name = packets_.name(),
             .encoding = "Ogg Vorbis",
             .sample_rate = decoder_.info().sample_rate,
             .channels = decoder_.info().channels,
             .frames = {}};
  PANTANAL_TRY_STATUS(check_format(format_));
  if (next_packet_ < packets_.size()) {
    PANTANAL_TRY_STATUS(place_page());
  } else {
    while (next_packet_ == packets_.size() && !finished_) PANTANAL_TRY_STATUS(turn_page());
  }
  PANTANAL_TRY(const auto last, packets_.last_granule());
  const std::int64_t first = std::max<std::int64_t>(0, origin_.value_or(0));
  if (last && *last >= first) format_.frames = static_cast<std::uint64_t>(*last - first);
  return {};
}

inline Result<std::size_t> VorbisSource::read_some(std::span<float> interleaved) {
  for (;;) {
    if (const std::size_t frames = take_decoded(interleaved)) return frames;
    if (next_packet_ < packets_.size()) {
      PANTANAL_TRY_STATUS(decode_packet());
    } else if (!finished_) {
      PANTANAL_TRY_STATUS(turn_page());
    } else {
      if (missing_) return *missing_;
      return std::size_t{0};
    }
  }
}

/// Moves frames that are complete and inside the recording to the caller.
inline std::size_t VorbisSource::take_decoded(std::span<float> interleaved) {
  const std::uint64_t until = std::min(complete_, end_);
  if (taken_ < begin_) {
    const std::uint64_t cut = std::min(begin_, complete_) - taken_;
    taken_ += cut;
    decoded_begin_ += static_cast<std::size_t>(cut);
  }
  if (until <= taken_) return 0;
  const std::size_t frames = static_cast<std::size_t>(
      std::min<std::uint64_t>(until - taken_, interleaved.size() / format_.channels));
  std::copy_n(decoded_.begin() + static_cast<std::ptrdiff_t>(decoded_begin_ * format_.channels),
              frames * format_.channels, interleaved.begin());
  taken_ += frames;
  decoded_begin_ += frames;
  return frames;
}

inline Status VorbisSource::decode_packet() {
  const auto packet = packets_[next_packet_++];
  PANTANAL_TRY(const std::optional<VorbisBlock> block,
               read_vorbis_block(packet, decoder_.info(), packets_.name()));
  if (!block) return {};
  PANTANAL_TRY_STATUS(check_neighbours(*block));
  decoded_.erase(decoded_.begin(),
                 decoded_.begin() + static_cast<std::ptrdiff_t>(decoded_begin_ * format_.channels));
  decoded_begin_ = 0;
  PANTANAL_TRY_STATUS(decoder_.decode(packet, *block, decoded_));
  if (block_) complete_ += (block_->size + block->size) / 4;
  block_ = block;
  if (decoded_.size() / format_.channels < complete_ - taken_)
    return corrupt("a Vorbis packet that decodes to too little", "a whole block");
  return {};
}

/// A long block's window is shaped for its neighbours. Where they are others, a packet between is missing.
inline Status VorbisSource::check_neighbours(const VorbisBlock& block) const {
  if (!block_) return {};
  const bool fits_next = block_->kind == 0 || block_->next == block.kind;
  const bool fits_previous = block.kind == 0 || block.previous == block_->kind;
  if (fits_next && fits_previous) return {};
  return corrupt("Vorbis blocks after frame " + std::to_string(taken_) + " whose windows do not meet",
                 "consecutive packets");
}

inline Status VorbisSource::turn_page() {
  next_packet_ = 0;
  PANTANAL_TRY(const bool there, packets_.next_page());
  finished_ = !there;
  return there ? place_page() : Status();
}

/// Compares the position that a page states with the audio up to its end. The first page fixes where the
/// audio begins, the last one where it ends.
inline Status VorbisSource::place_page() {
  std::uint64_t complete = complete_;  // after this page
  std::optional<VorbisBlock> before = block_;
  for (std::size_t i = next_packet_; i < packets_.size(); ++i) {
    PANTANAL_TRY(const auto block, read_vorbis_block(packets_[i], decoder_.info(), packets_.name()));
    if (block && before) complete += (before->size + block->size) / 4;
    if (block) before = block;
  }
  const std::int64_t stated = packets_.page().granule();
  const bool last = packets_.page().ends();
  if (last) end_ = complete;
  if (stated < 0 || !before) return {};
  if (stated > most_frames)
    return corrupt("a page that states " + std::to_string(stated) + " frames", "far fewer");
  const auto heard = static_cast<std::int64_t>(complete);
  if (!origin_) {
    // The encoder cuts a first page at its start and a last one at its end.
    origin_ = last ? std::max<std::int64_t>(0, stated - heard) : stated - heard;
    if (*origin_ < 0) begin_ = static_cast<std::uint64_t>(-*origin_);
  }
  const std::int64_t there = stated - *origin_, slack = decoder_.info().block_sizes[1];
  if (there > heard + slack || there < (last ? static_cast<std::int64_t>(complete_) : heard) - slack) {
    const Error gap = corrupt(
        "audio of " + std::to_string(heard) + " frames up to a page that states " + std::to_string(there),
        "as many as stated");
    if (!last) return gap;
    missing_ = gap;
  }
  if (last) end_ = static_cast<std::uint64_t>(std::clamp<std::int64_t>(there, 0, heard));
  return {};
}

}  // namespace pantanal::audio
