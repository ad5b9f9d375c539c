// A codebook of a Vorbis setup header, checked.
// Source: Xiph.Org Foundation, "Vorbis I specification" (2020), section 3.2.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "pantanal/audio/vorbis_bits.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::audio::detail {

struct VorbisCodebook {
  std::uint32_t dimensions = 0, entries = 0;
  std::uint32_t used = 0;    ///< entries that have a code
  bool has_vectors = false;  ///< entries stand for vectors, not only for their own numbers
};

inline Error vorbis_setup_error(const std::string& name, std::string found, std::string expected) {
  return {ErrorCode::corrupt, name, "Vorbis setup header: " + std::move(found), std::move(expected)};
}

inline Error vorbis_unsupported(const std::string& name, std::string feature,
                                std::string expected = "what common encoders write") {
  return {ErrorCode::unsupported, name, "Vorbis with " + std::move(feature), std::move(expected)};
}

/// Huffman code lengths, into `book.used`. They must form a full tree, or be the one code of one bit.
inline Status read_code_lengths(VorbisBits& bits, const std::string& name, VorbisCodebook& book,
                                bool& sparse) {
  std::uint64_t kraft = 0;  // sum of 2^(32 - length): 2^32 for a full tree
  const auto use = [&](std::uint32_t count, std::uint32_t length) {
    kraft += std::uint64_t{count} << (32 - length);
    book.used += count;
  };
  if (bits.flag()) {  // ordered: runs of growing length
    std::uint32_t length = bits.read(5) + 1;
    for (std::uint32_t entry = 0; entry < book.entries; ++length) {
      const std::uint32_t left = book.entries - entry,
                          count = bits.read(static_cast<unsigned>(std::bit_width(left)));
      if (length > 31 || count > left)
        return vorbis_setup_error(name, "a run of code lengths out of bounds", "31 bits at most");
      use(count, length);
      entry += count;
    }
  } else {
    sparse = bits.flag();
    for (std::uint32_t entry = 0; entry < book.entries && !bits.exhausted(); ++entry) {
      if (sparse && !bits.flag()) continue;
      const std::uint32_t length = bits.read(5) + 1;
      if (length == 32) return vorbis_unsupported(name, "codes of 32 bits");
      use(1, length);
    }
  }
  const bool full = kraft == std::uint64_t{1} << 32,
             single = book.used == 1 && kraft == std::uint64_t{1} << 31;
  if (book.used > 0 && !full && !single)
    return vorbis_setup_error(name, "code lengths that form no tree", "a full binary tree");
  return {};
}

/// Values along each axis of a lattice whose points, values^dimensions of them, the entries can number.
inline Result<std::uint64_t> lattice_values(const std::string& name, const VorbisCodebook& book) {
  constexpr std::uint64_t most = std::numeric_limits<std::int32_t>::max();
  const auto points = [&book](std::uint64_t values) {
    std::uint64_t product = 1;
    for (std::uint32_t i = 0; i < book.dimensions && product <= most; ++i) product *= values;
    return product;
  };
  std::uint64_t values = 1;
  while (points(values + 1) <= book.entries) ++values;
  // stb_vorbis finds the number in floating point and 32-bit integers, which must not overflow.
  if (points(values + 1) > most)
    return vorbis_unsupported(name,
                              "a lattice codebook of " + std::to_string(book.dimensions) + " dimensions");
  return values;
}

/// Reads the codebook at the reader's position. The caller checks for exhausted bits.
inline Result<VorbisCodebook> read_vorbis_codebook(VorbisBits& bits, const std::string& name) {
  if (bits.read(24) != 0x564342) return vorbis_setup_error(name, "no codebook where one should begin", "one");
  VorbisCodebook book;
  book.dimensions = bits.read(16);
  book.entries = bits.read(24);
  if (book.dimensions == 0 || book.entries == 0 ||
      std::bit_width(book.dimensions) + std::bit_width(book.entries) > 24)
    return vorbis_setup_error(name,
                              "a codebook of " + std::to_string(book.entries) + " entries and " +
                                  std::to_string(book.dimensions) + " dimensions",
                              "at least one of each and fewer than 2^24 values");
  bool sparse = false;
  PANTANAL_TRY_STATUS(read_code_lengths(bits, name, book, sparse));
  const std::uint32_t lookup = bits.read(4);
  if (lookup > 2)
    return vorbis_setup_error(name, "a codebook of lookup type " + std::to_string(lookup), "0, 1 or 2");
  book.has_vectors = lookup > 0;
  if (!book.has_vectors) return book;
  if (lookup == 2 && sparse) return vorbis_unsupported(name, "a sparse codebook of lookup type 2");
  bits.skip(64);  // minimum and step
  const std::uint32_t value_bits = bits.read(4) + 1;
  if (bits.flag()) return vorbis_unsupported(name, "a codebook of running sums");
  std::uint64_t values = std::uint64_t{book.entries} * book.dimensions;
  if (lookup == 1) {
    PANTANAL_TRY(values, lattice_values(name, book));
  }
  bits.skip(values * value_bits);
  return book;
}

}  // namespace pantanal::audio::detail
