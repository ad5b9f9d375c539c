// The setup header of a Vorbis stream, walked to its last bit before the decoder sees it.
// Source: Xiph.Org Foundation, "Vorbis I specification" (2020), sections 4.2.4, 7.2.2 and 8.6.1.
//
// The decoder, stb_vorbis, believes a setup header more than is safe. What is refused here is what the
// specification forbids, what libvorbis refuses beyond it, and legal corners, used by no encoder since 2004
// or, for coupled surround, by few, that stb_vorbis decodes wrongly. A header that passes keeps every index
// that the decoder forms from any packet inside its tables.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/audio/vorbis_bits.hpp"
#include "pantanal/audio/vorbis_codebook.hpp"
#include "pantanal/audio/vorbis_headers.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::audio {

/// Checks the third header and completes `info`, which holds the first one's content, with the modes.
/// Errors: corrupt; unsupported, naming the feature.
Status read_vorbis_setup(std::span<const std::uint8_t> packet, const std::string& name, VorbisInfo& info);

namespace detail {

/// Reads the parts of a setup header in their order. Each part's reader returns the first thing wrong with
/// it.
class VorbisSetup {
 public:
  VorbisSetup(std::span<const std::uint8_t> packet, const std::string& name, VorbisInfo& info)
      : bits_(packet.subspan(7)), name_(name), info_(info) {}

  Status read();

 private:
  struct Residue {
    std::uint32_t type = 0, end = 0;
  };
  struct Submap {
    std::uint32_t channels = 0, residue = 0;
  };

  Status read_each(unsigned count_bits, Status (VorbisSetup::*read_one)());
  Status read_codebook();
  Status read_time_transform();
  Status read_floor();
  Status read_floor_class(std::uint32_t& dimensions);
  Status read_residue();
  Result<int> read_classifications();
  Status read_mapping();
  Status read_couplings();
  Status read_mode();
  Status check_residues(const std::vector<Submap>& submaps, std::uint32_t half_block) const;
  Status check_book(std::uint32_t index, bool for_vectors) const;

  Error corrupt(std::string found, std::string expected) const {
    return vorbis_setup_error(name_, std::move(found), std::move(expected));
  }
  Error unsupported(std::string feature) const { return vorbis_unsupported(name_, std::move(feature)); }

  VorbisBits bits_;
  const std::string& name_;
  VorbisInfo& info_;
  std::vector<VorbisCodebook> codebooks_;
  std::uint32_t floors_ = 0;
  std::vector<Residue> residues_;
  std::vector<std::vector<Submap>> mappings_;
};

inline Status VorbisSetup::read() {
  PANTANAL_TRY_STATUS(read_each(8, &VorbisSetup::read_codebook));
  PANTANAL_TRY_STATUS(read_each(6, &VorbisSetup::read_time_transform));
  PANTANAL_TRY_STATUS(read_each(6, &VorbisSetup::read_floor));
  PANTANAL_TRY_STATUS(read_each(6, &VorbisSetup::read_residue));
  PANTANAL_TRY_STATUS(read_each(6, &VorbisSetup::read_mapping));
  PANTANAL_TRY_STATUS(read_each(6, &VorbisSetup::read_mode));
  if (!bits_.flag()) return corrupt("no framing bit at its end", "one");
  return {};
}

/// A count, then that many parts, none of which may pass the end of the packet.
inline Status VorbisSetup::read_each(unsigned count_bits, Status (VorbisSetup::*read_one)()) {
  for (std::uint32_t left = bits_.read(count_bits) + 1; left > 0; --left) {
    PANTANAL_TRY_STATUS((this->*read_one)());
    if (bits_.exhausted()) return corrupt("its end inside a part", "the whole header");
  }
  return {};
}

inline Status VorbisSetup::read_codebook() {
  PANTANAL_TRY(const VorbisCodebook book, read_vorbis_codebook(bits_, name_));
  codebooks_.push_back(book);
  return {};
}

inline Status VorbisSetup::read_time_transform() {
  if (bits_.read(16) != 0) return corrupt("a time-domain transform of unknown type", "type 0");
  return {};
}

inline Status VorbisSetup::read_floor() {
  const std::uint32_t type = bits_.read(16);
  if (type == 0) return unsupported("a floor of type 0");
  if (type != 1) return corrupt("a floor of type " + std::to_string(type), "0 or 1");
  std::vector<std::uint32_t> partition_classes(bits_.read(5));
  std::uint32_t classes = 0;
  for (std::uint32_t& partition_class : partition_classes) {
    partition_class = bits_.read(4);
    classes = std::max(classes, partition_class + 1);
  }
  std::vector<std::uint32_t> dimensions(classes);
  for (std::uint32_t& count : dimensions) PANTANAL_TRY_STATUS(read_floor_class(count));
  if (bits_.read(2) + 1 == 3) return unsupported("a floor of multiplier 3");
  const std::uint32_t position_bits = bits_.read(4);
  std::vector<std::uint32_t> positions = {0, 1u << position_bits};
  for (const std::uint32_t partition_class : partition_classes)
    for (std::uint32_t i = 0; i < dimensions[partition_class]; ++i)
      positions.push_back(bits_.read(position_bits));
  std::sort(positions.begin(), positions.end());
  if (positions.size() > 65 || std::adjacent_find(positions.begin(), positions.end()) != positions.end())
    return corrupt("a floor with too many or repeated positions", "65 different ones at most");
  ++floors_;
  return {};
}

inline Status VorbisSetup::read_floor_class(std::uint32_t& dimensions) {
  dimensions = bits_.read(3) + 1;
  const std::uint32_t subclass_bits = bits_.read(2);
  if (subclass_bits > 0) PANTANAL_TRY_STATUS(check_book(bits_.read(8), false));
  for (std::uint32_t left = 1u << subclass_bits; left > 0; --left)
    if (const std::uint32_t book = bits_.read(8); book > 0) PANTANAL_TRY_STATUS(check_book(book - 1, false));
  return {};
}

inline Status VorbisSetup::read_residue() {
  Residue residue;
  residue.type = bits_.read(16);
  if (residue.type == 0) return unsupported("a residue of type 0");
  if (residue.type > 2) return corrupt("a residue of type " + std::to_string(residue.type), "0, 1 or 2");
  const std::uint32_t begin = bits_.read(24);
  residue.end = bits_.read(24);
  if (residue.end < begin) return corrupt("a residue that ends before it begins", "begin <= end");
  const std::uint32_t partition = bits_.read(24) + 1;
  PANTANAL_TRY(int books, read_classifications());
  for (; books > 0; --books) {
    const std::uint32_t book = bits_.read(8);
    PANTANAL_TRY_STATUS(check_book(book, true));
    // Or else the last vector of the last partition reaches past the block.
    if (partition % codebooks_[book].dimensions != 0)
      return unsupported("partitions of no whole number of vectors");
  }
  residues_.push_back(residue);
  return {};
}

/// How a residue's partitions are classified. Returns the number of books that the classes read, which come
/// next.
inline Result<int> VorbisSetup::read_classifications() {
  const std::uint32_t classes = bits_.read(6) + 1, classbook = bits_.read(8);
  PANTANAL_TRY_STATUS(check_book(classbook, false));
  const std::uint32_t dimensions = codebooks_[classbook].dimensions, entries = codebooks_[classbook].entries;
  std::uint64_t words = 1;
  for (std::uint32_t i = 0; i < dimensions && words <= entries; ++i) words *= classes;
  if (words > entries)
    return corrupt("a residue whose classes outnumber its codebook", "entries for all of them");
  int books = 0;
  for (std::uint32_t i = 0; i < classes; ++i) {
    const std::uint32_t low = bits_.read(3), high = bits_.flag() ? bits_.read(5) : 0;
    books += std::popcount(low) + std::popcount(high);
  }
  return books;
}

inline Status VorbisSetup::read_mapping() {
  if (bits_.read(16) != 0) return corrupt("a mapping of unknown type", "type 0");
  const std::uint32_t count = bits_.flag() ? bits_.read(4) + 1 : 1;
  if (count == 16) return unsupported("a mapping of 16 submaps");
  if (bits_.flag()) PANTANAL_TRY_STATUS(read_couplings());
  if (bits_.read(2) != 0) return corrupt("reserved bits set in a mapping", "zeros");
  std::vector<Submap> submaps(count);
  for (std::uint32_t channel = 0; channel < info_.channels; ++channel) {
    const std::uint32_t submap = count > 1 ? bits_.read(4) : 0;
    if (submap >= count) return corrupt("a channel in submap " + std::to_string(submap), "one there is");
    ++submaps[submap].channels;
  }
  for (Submap& submap : submaps) {
    bits_.skip(8);  // a time-domain transform that means nothing
    const std::uint32_t floor = bits_.read(8);
    submap.residue = bits_.read(8);
    if (floor >= floors_ || submap.residue >= residues_.size())
      return corrupt(
          "a mapping to floor " + std::to_string(floor) + " and residue " + std::to_string(submap.residue),
          "ones there are");
  }
  mappings_.push_back(std::move(submaps));
  return {};
}

inline Status VorbisSetup::read_couplings() {
  const std::uint32_t steps = bits_.read(8) + 1;
  if (steps > info_.channels) return corrupt("more coupling steps than channels", "at most as many");
  const auto channel_bits = static_cast<unsigned>(std::bit_width(info_.channels - 1));
  for (std::uint32_t step = 0; step < steps; ++step) {
    const std::uint32_t magnitude = bits_.read(channel_bits), angle = bits_.read(channel_bits);
    if (magnitude == angle || magnitude >= info_.channels || angle >= info_.channels)
      return corrupt("a coupling of channels " + std::to_string(magnitude) + " and " + std::to_string(angle),
                     "two there are");
  }
  return {};
}

inline Status VorbisSetup::read_mode() {
  const std::uint8_t block = bits_.flag() ? 1 : 0;
  if (bits_.read(16) != 0 || bits_.read(16) != 0)
    return corrupt("a mode of unknown window or transform", "type 0");
  const std::uint32_t mapping = bits_.read(8);
  if (mapping >= mappings_.size())
    return corrupt("a mode with mapping " + std::to_string(mapping), "one there is");
  info_.mode_blocks.push_back(block);
  return check_residues(mappings_[mapping], info_.block_sizes[block] / 2);
}

/// A residue of type 2 interleaves its channels, half a block of each. stb_vorbis reads what two channels
/// have, however many there are.
inline Status VorbisSetup::check_residues(const std::vector<Submap>& submaps,
                                          std::uint32_t half_block) const {
  for (const Submap& submap : submaps) {
    const Residue& residue = residues_[submap.residue];
    const std::uint32_t known = half_block * std::min(submap.channels, 2u);
    if (residue.type == 2 && submap.channels != 2 && submap.channels != 0 && residue.end > known)
      return vorbis_unsupported(name_, std::to_string(submap.channels) + " channels coded together",
                                "at most two that are");
  }
  return {};
}

/// Whether a part may draw from that codebook.
inline Status VorbisSetup::check_book(std::uint32_t index, bool for_vectors) const {
  if (index >= codebooks_.size() || codebooks_[index].used == 0 ||
      (for_vectors && !codebooks_[index].has_vectors))
    return corrupt(
        "a reference to codebook " + std::to_string(index) + ", which is absent, empty or of another kind",
        "one of the " + std::to_string(codebooks_.size()) + " there are");
  return {};
}

}  // namespace detail

inline Status read_vorbis_setup(std::span<const std::uint8_t> packet, const std::string& name,
                                VorbisInfo& info) {
  if (!is_vorbis_header(packet, VorbisHeader::setup))
    return Error{ErrorCode::corrupt, name, "no Vorbis setup header where one should be", "one"};
  return detail::VorbisSetup(packet, name, info).read();
}

}  // namespace pantanal::audio
