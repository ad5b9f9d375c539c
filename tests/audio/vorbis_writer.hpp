// Vorbis headers written from descriptions, right or wrong, for tests.
#pragma once

#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include "audio/ogg_writer.hpp"

namespace pantanal::audio {

/// Packs bits, the lowest of each byte first.
class BitWriter {
 public:
  void put(std::uint64_t value, unsigned count) {
    for (unsigned i = 0; i < count; ++i, ++size_) {
      if (size_ % 8 == 0) bytes_.push_back(0);
      bytes_.back() = static_cast<std::uint8_t>(bytes_.back() | (value >> i & 1) << size_ % 8);
    }
  }
  void put_header(std::uint8_t type) {
    put(type, 8);
    for (const char c : {'v', 'o', 'r', 'b', 'i', 's'}) put(static_cast<std::uint8_t>(c), 8);
  }
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
  std::size_t size_ = 0;
};

struct CodebookSpec {
  std::uint32_t dimensions = 1;
  std::vector<std::uint8_t> lengths = {1, 1};  ///< of the codes; 0 for an entry without one
  bool ordered = false, sparse = false;        ///< ordered: lengths must not fall
  std::uint32_t lookup = 0;
  std::uint32_t minimum = 0x60000000, step = 0x60200000;  ///< as stored: near 0 and a small power of two
  std::uint32_t value_bits = 4;
  bool running_sums = false;
  std::uint32_t values = 0;  ///< of the lookup table, all ones
};

struct FloorClassSpec {
  std::uint32_t dimensions = 1, subclass_bits = 0, masterbook = 0;
  std::vector<std::uint32_t> books = {0};  ///< 2^subclass_bits of them, each 1 + its number, or 0 for none
};

struct FloorSpec {
  std::uint32_t type = 1;
  std::vector<std::uint32_t> partition_classes = {};
  std::vector<FloorClassSpec> classes = {};
  std::uint32_t multiplier = 1, position_bits = 7;
  std::vector<std::uint32_t> positions = {};  ///< one for each dimension of each partition
};

struct ResidueSpec {
  std::uint32_t type = 1, begin = 0, end = 0, partition_size = 1, classbook = 0;
  std::vector<std::uint8_t> cascade = {0};  ///< for each classification the passes that read a book
  std::vector<std::uint32_t> books = {};    ///< for each of those
};

struct MappingSpec {
  std::uint32_t type = 0;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> couplings = {};
  std::uint32_t reserved = 0;
  std::vector<std::uint32_t> submap_of = {};  ///< for each channel, if there are several
  std::vector<std::pair<std::uint32_t, std::uint32_t>> submaps = {{0, 0}};  ///< floor, residue
};

struct ModeSpec {
  bool is_long = false;
  std::uint32_t window = 0, transform = 0, mapping = 0;
};

struct SetupSpec {
  std::uint32_t channels = 1;
  std::vector<CodebookSpec> codebooks = {{}};
  std::uint32_t time_transform = 0;
  std::vector<FloorSpec> floors = {{}};
  std::vector<ResidueSpec> residues = {{}};
  std::vector<MappingSpec> mappings = {{}};
  std::vector<ModeSpec> modes = {{}};
  bool framing = true;
};

inline void put(BitWriter& bits, const CodebookSpec& book) {
  bits.put(0x564342, 24);
  bits.put(book.dimensions, 16);
  bits.put(book.lengths.size(), 24);
  bits.put(book.ordered, 1);
  if (book.ordered) {
    bits.put(book.lengths.front() - 1u, 5);
    std::size_t entry = 0;
    for (std::uint8_t length = book.lengths.front(); entry < book.lengths.size(); ++length) {
      std::size_t end = entry;
      while (end < book.lengths.size() && book.lengths[end] == length) ++end;
      bits.put(end - entry, static_cast<unsigned>(std::bit_width(book.lengths.size() - entry)));
      entry = end;
    }
  } else {
    bits.put(book.sparse, 1);
    for (const std::uint8_t length : book.lengths) {
      if (book.sparse) bits.put(length > 0, 1);
      if (!book.sparse || length > 0) bits.put(length - 1u, 5);
    }
  }
  bits.put(book.lookup, 4);
  if (book.lookup == 0) return;
  bits.put(book.minimum, 32);
  bits.put(book.step, 32);
  bits.put(book.value_bits - 1, 4);
  bits.put(book.running_sums, 1);
  for (std::uint32_t i = 0; i < book.values; ++i) bits.put(~std::uint64_t{0}, book.value_bits);
}

inline void put(BitWriter& bits, const FloorSpec& floor) {
  bits.put(floor.type, 16);
  bits.put(floor.partition_classes.size(), 5);
  for (const std::uint32_t partition_class : floor.partition_classes) bits.put(partition_class, 4);
  for (const FloorClassSpec& c : floor.classes) {
    bits.put(c.dimensions - 1, 3);
    bits.put(c.subclass_bits, 2);
    if (c.subclass_bits > 0) bits.put(c.masterbook, 8);
    for (const std::uint32_t book : c.books) bits.put(book, 8);
  }
  bits.put(floor.multiplier - 1, 2);
  bits.put(floor.position_bits, 4);
  for (const std::uint32_t position : floor.positions) bits.put(position, floor.position_bits);
}

inline void put(BitWriter& bits, const ResidueSpec& residue) {
  bits.put(residue.type, 16);
  bits.put(residue.begin, 24);
  bits.put(residue.end, 24);
  bits.put(residue.partition_size - 1, 24);
  bits.put(residue.cascade.size() - 1, 6);
  bits.put(residue.classbook, 8);
  for (const std::uint8_t passes : residue.cascade) {
    bits.put(passes & 7, 3);
    bits.put(passes > 7, 1);
    if (passes > 7) bits.put(passes >> 3, 5);
  }
  for (const std::uint32_t book : residue.books) bits.put(book, 8);
}

inline void put(BitWriter& bits, const MappingSpec& mapping, std::uint32_t channels) {
  bits.put(mapping.type, 16);
  bits.put(mapping.submaps.size() > 1, 1);
  if (mapping.submaps.size() > 1) bits.put(mapping.submaps.size() - 1, 4);
  bits.put(!mapping.couplings.empty(), 1);
  if (!mapping.couplings.empty()) bits.put(mapping.couplings.size() - 1, 8);
  const auto channel_bits = static_cast<unsigned>(std::bit_width(channels - 1));
  for (const auto& [magnitude, angle] : mapping.couplings) {
    bits.put(magnitude, channel_bits);
    bits.put(angle, channel_bits);
  }
  bits.put(mapping.reserved, 2);
  if (mapping.submaps.size() > 1)
    for (const std::uint32_t submap : mapping.submap_of) bits.put(submap, 4);
  for (const auto& [floor, residue] : mapping.submaps) {
    bits.put(0, 8);
    bits.put(floor, 8);
    bits.put(residue, 8);
  }
}

/// A setup header packet.
inline Bytes setup_packet(const SetupSpec& setup) {
  BitWriter bits;
  bits.put_header(5);
  bits.put(setup.codebooks.size() - 1, 8);
  for (const CodebookSpec& book : setup.codebooks) put(bits, book);
  bits.put(0, 6);
  bits.put(setup.time_transform, 16);
  bits.put(setup.floors.size() - 1, 6);
  for (const FloorSpec& floor : setup.floors) put(bits, floor);
  bits.put(setup.residues.size() - 1, 6);
  for (const ResidueSpec& residue : setup.residues) put(bits, residue);
  bits.put(setup.mappings.size() - 1, 6);
  for (const MappingSpec& mapping : setup.mappings) put(bits, mapping, setup.channels);
  bits.put(setup.modes.size() - 1, 6);
  for (const ModeSpec& mode : setup.modes) {
    bits.put(mode.is_long, 1);
    bits.put(mode.window, 16);
    bits.put(mode.transform, 16);
    bits.put(mode.mapping, 8);
  }
  bits.put(setup.framing, 1);
  return bits.bytes();
}

/// An identification header packet. Block sizes by their binary logarithms.
inline Bytes identification_packet(std::uint32_t channels, std::uint32_t sample_rate,
                                   std::uint32_t short_log2 = 8, std::uint32_t long_log2 = 11) {
  BitWriter bits;
  bits.put_header(1);
  bits.put(0, 32);
  bits.put(channels, 8);
  bits.put(sample_rate, 32);
  bits.put(0, 32);
  bits.put(0, 32);
  bits.put(0, 32);
  bits.put(short_log2, 4);
  bits.put(long_log2, 4);
  bits.put(1, 8);
  return bits.bytes();
}

inline Bytes comment_packet() {
  BitWriter bits;
  bits.put_header(3);
  bits.put(0, 32);
  bits.put(0, 32);
  bits.put(1, 8);
  return bits.bytes();
}

}  // namespace pantanal::audio
