// VorbisDecoder: packets in, frames out, through stb_vorbis in a fixed amount of memory.
//
// stb_vorbis gets nothing but Ogg pages made here around packets whose headers have been checked: its own
// reading of containers, comments and positions, where most of its known faults were found, never meets a
// file's bytes.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/audio/vorbis_bits.hpp"
#include "pantanal/audio/vorbis_headers.hpp"
#include "pantanal/audio/vorbis_setup.hpp"
#include "pantanal/core/result.hpp"

#ifndef STB_VORBIS_INCLUDE_STB_VORBIS_H
#define STB_VORBIS_HEADER_ONLY
#include <stb/stb_vorbis.h>
#undef STB_VORBIS_HEADER_ONLY
#endif

namespace pantanal::audio {

/// The shape of one packet of audio.
struct VorbisBlock {
  std::uint8_t kind = 0;                ///< 0 for a short block, 1 for a long one
  std::uint8_t previous = 0, next = 0;  ///< the neighbours that a long block's window is shaped for
  std::uint32_t size = 0;               ///< frames it spans; its half overlaps each neighbour's half

  /// First frame of the block that is not silenced by its window.
  std::uint32_t left(const VorbisInfo& info) const {
    return kind == 1 && previous == 0 ? (size - info.block_sizes[0]) / 4 : 0;
  }
};

/// Reads a packet's shape; nothing for packets that hold no audio, which decoders pass over.
/// Error: corrupt, for a mode that the headers do not have.
Result<std::optional<VorbisBlock>> read_vorbis_block(std::span<const std::uint8_t> packet,
                                                     const VorbisInfo& info, const std::string& name);

class VorbisDecoder {
 public:
  /// All the memory that stb_vorbis gets; real streams need less than 1 MB. Untouched parts cost nothing.
  static constexpr std::size_t arena_bytes = 8 << 20;

  /// Takes a stream's first and third header packets. Errors: those of read_vorbis_identification and
  /// read_vorbis_setup; unsupported for headers whose tables do not fit into the arena.
  static Result<VorbisDecoder> open(std::span<const std::uint8_t> identification,
                                    std::span<const std::uint8_t> setup, std::string name);

  const VorbisInfo& info() const { return info_; }

  /// Decodes the next packet, of the shape `block`, and appends frames, interleaved. The first frame ever
  /// appended is the middle of the first block; after each packet at least the frames up to the middle of its
  /// block are there. Error: corrupt.
  Status decode(std::span<const std::uint8_t> packet, const VorbisBlock& block,
                std::vector<float>& interleaved);

 private:
  struct Close {
    void operator()(stb_vorbis* decoder) const { stb_vorbis_close(decoder); }
  };

  VorbisDecoder(VorbisInfo info, std::string name) : info_(std::move(info)), name_(std::move(name)) {}

  Status start(std::span<const std::uint8_t> identification, std::span<const std::uint8_t> setup);
  Status prime(const VorbisBlock& first);
  Result<std::uint32_t> feed(std::span<const std::uint8_t> packet, float**& channels);
  void add_pages(std::span<const std::uint8_t> packet, std::uint8_t flags);

  VorbisInfo info_;
  std::string name_;
  std::unique_ptr<std::uint64_t[]> arena_;
  std::unique_ptr<stb_vorbis, Close> decoder_;
  std::vector<std::uint8_t> pages_;
  bool primed_ = false;
};

inline Result<std::optional<VorbisBlock>> read_vorbis_block(std::span<const std::uint8_t> packet,
                                                            const VorbisInfo& info, const std::string& name) {
  VorbisBits bits(packet);
  if (packet.empty() || bits.flag()) return std::optional<VorbisBlock>();
  const std::uint32_t mode = bits.read(static_cast<unsigned>(std::bit_width(info.mode_blocks.size() - 1)));
  if (mode >= info.mode_blocks.size())
    return Error{ErrorCode::corrupt, name, "a Vorbis packet of mode " + std::to_string(mode),
                 "one of " + std::to_string(info.mode_blocks.size())};
  VorbisBlock block;
  block.kind = info.mode_blocks[mode];
  block.size = info.block_sizes[block.kind];
  if (block.kind == 1) {
    block.previous = bits.flag();
    block.next = bits.flag();
  }
  return std::optional<VorbisBlock>(block);
}

inline Result<VorbisDecoder> VorbisDecoder::open(std::span<const std::uint8_t> identification,
                                                 std::span<const std::uint8_t> setup, std::string name) {
  PANTANAL_TRY(VorbisInfo info, read_vorbis_identification(identification, name));
  PANTANAL_TRY_STATUS(read_vorbis_setup(setup, name, info));
  VorbisDecoder decoder(std::move(info), std::move(name));
  PANTANAL_TRY_STATUS(decoder.start(identification, setup));
  return decoder;
}

inline Status VorbisDecoder::start(std::span<const std::uint8_t> identification,
                                   std::span<const std::uint8_t> setup) {
  // "vorbis", an empty vendor, no comments, the framing bit.
  constexpr std::array<std::uint8_t, 16> no_comment = {3, 'v', 'o', 'r', 'b', 'i', 's', 0,
                                                       0, 0,   0,   0,   0,   0,   0,   1};
  constexpr std::uint8_t first_page = 2;
  add_pages(identification, first_page);
  add_pages(no_comment, 0);
  add_pages(setup, 0);
  arena_ = std::make_unique_for_overwrite<std::uint64_t[]>(arena_bytes / sizeof(std::uint64_t));
  const stb_vorbis_alloc arena = {reinterpret_cast<char*>(arena_.get()), static_cast<int>(arena_bytes)};
  int used = 0, error = VORBIS__no_error;
  {
    static std::mutex shared_table;  // stb_vorbis fills one, always with the same numbers
    const std::lock_guard lock(shared_table);
    decoder_.reset(
        stb_vorbis_open_pushdata(pages_.data(), static_cast<int>(pages_.size()), &used, &error, &arena));
  }
  if (decoder_) {
    // Scratch for decoding comes from the arena too; stb_vorbis's own estimate is up to a half too low.
    const stb_vorbis_info needs = stb_vorbis_get_info(decoder_.get());
    if (needs.setup_memory_required + 2 * std::size_t{needs.temp_memory_required} + 65536 <= arena_bytes)
      return {};
  }
  if (decoder_ || error == VORBIS_outofmem)
    return Error{ErrorCode::unsupported, name_, "a Vorbis setup header of very large tables",
                 "tables of " + std::to_string(arena_bytes >> 20) + " MiB at most"};
  return Error{ErrorCode::corrupt, name_,
               "Vorbis headers that the decoder refuses (its error " + std::to_string(error) + ")",
               "valid ones"};
}

inline Status VorbisDecoder::decode(std::span<const std::uint8_t> packet, const VorbisBlock& block,
                                    std::vector<float>& interleaved) {
  float** channels = nullptr;
  std::uint32_t skip = 0;
  if (!primed_) {
    PANTANAL_TRY_STATUS(prime(block));
    skip = block.size / 2 - block.left(info_);
    primed_ = true;
  }
  PANTANAL_TRY(const std::uint32_t frames, feed(packet, channels));
  if (frames < skip)
    return Error{ErrorCode::corrupt, name_, "a first Vorbis packet that does not decode", "a whole block"};
  const std::size_t before = interleaved.size();
  interleaved.resize(before + std::size_t{frames - skip} * info_.channels);
  float* out = interleaved.data() + before;
  for (std::uint32_t t = skip; t < frames; ++t)
    for (std::uint32_t c = 0; c < info_.channels; ++c) *out++ = channels[c][t];
  return {};
}

/// Decodes a silent block before the first one. The decoder would otherwise drop all of the first block, of
/// which the part between its middle and where the next one sets in belongs to the recording.
inline Status VorbisDecoder::prime(const VorbisBlock& first) {
  std::size_t mode = 0;
  while (mode < info_.mode_blocks.size() && info_.mode_blocks[mode] == 1) ++mode;
  const bool is_long = mode == info_.mode_blocks.size();
  if (is_long && first.previous == 0)
    return Error{ErrorCode::corrupt, name_, "a Vorbis window shaped for a short block",
                 "one for the blocks there are"};
  if (is_long) mode = 0;
  // Type 0 for audio, the mode, both neighbours long; then a zero for each channel says that it is silent.
  const auto mode_bits = static_cast<unsigned>(std::bit_width(info_.mode_blocks.size() - 1));
  const std::uint64_t bits = mode << 1 | (is_long ? std::uint64_t{3} << (1 + mode_bits) : 0);
  std::array<std::uint8_t, 5> silence;
  for (std::size_t i = 0; i < silence.size(); ++i) silence[i] = static_cast<std::uint8_t>(bits >> 8 * i);
  float** nothing = nullptr;
  PANTANAL_TRY([[maybe_unused]] const std::uint32_t frames, feed(silence, nothing));
  return {};
}

/// Has stb_vorbis decode one packet. Returns the frames it has completed, at `channels`.
inline Result<std::uint32_t> VorbisDecoder::feed(std::span<const std::uint8_t> packet, float**& channels) {
  pages_.clear();
  add_pages(packet, 0);
  int count = 0, frames = 0;
  const int used = stb_vorbis_decode_frame_pushdata(
      decoder_.get(), pages_.data(), static_cast<int>(pages_.size()), &count, &channels, &frames);
  const int error = stb_vorbis_get_error(decoder_.get());
  if (used != static_cast<int>(pages_.size()) || frames < 0 || error != VORBIS__no_error)
    return Error{ErrorCode::corrupt, name_,
                 "a Vorbis packet that does not decode (stb_vorbis error " + std::to_string(error) + ")",
                 "a valid one"};
  return static_cast<std::uint32_t>(frames);
}

/// Appends `packet` to pages_, on as many pages of its own as it needs. They state no position.
inline void VorbisDecoder::add_pages(std::span<const std::uint8_t> packet, std::uint8_t flags) {
  constexpr std::size_t page_segments = 255, segment_bytes = 255, page_bytes = page_segments * segment_bytes;
  constexpr std::uint8_t continued = 1;
  for (bool more = true; more; flags = continued) {
    // A packet ends with a segment of less than 255 bytes, be it an empty one.
    more = packet.size() >= page_bytes;
    const std::size_t body = more ? page_bytes : packet.size();
    const std::size_t segments = more ? page_segments : body / segment_bytes + 1;
    pages_.insert(pages_.end(), {'O', 'g', 'g', 'S', 0, flags});
    pages_.insert(pages_.end(), 8, 0xff);  // position: none
    pages_.insert(pages_.end(), 12, 0);    // stream, page number and checksum, which are not looked at
    pages_.push_back(static_cast<std::uint8_t>(segments));
    pages_.insert(pages_.end(), segments - (more ? 0 : 1), segment_bytes);
    if (!more) pages_.push_back(static_cast<std::uint8_t>(body % segment_bytes));
    pages_.insert(pages_.end(), packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(body));
    packet = packet.subspan(body);
  }
}

}  // namespace pantanal::audio
