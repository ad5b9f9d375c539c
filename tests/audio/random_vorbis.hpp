// Random Vorbis streams: setup headers of every legal shape, some then damaged, and packets of any content.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include "audio/vorbis_writer.hpp"

namespace pantanal::audio {

struct RandomVorbis {
  Bytes identification, setup;
  std::vector<Bytes> audio;
};

/// Draws a stream. Equal generators draw equal streams.
RandomVorbis random_vorbis(std::mt19937& random);

namespace detail {

class VorbisDice {
 public:
  explicit VorbisDice(std::mt19937& random) : random_(random) {}

  /// 0 to n - 1.
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }
  bool one_in(std::uint32_t n) { return below(n) == 0; }
  template <class T>
  void shuffle(std::vector<T>& values) {
    for (std::size_t i = values.size(); i > 1; --i)
      std::swap(values[i - 1], values[below(static_cast<std::uint32_t>(i))]);
  }

  /// Code lengths of a full tree with `used` leaves.
  std::vector<std::uint8_t> tree(std::uint32_t used) {
    std::vector<std::uint8_t> lengths = {1};
    if (used > 1) lengths.push_back(1);
    while (lengths.size() < used) {
      std::size_t leaf = one_in(3) ? lengths.size() - 1 : below(static_cast<std::uint32_t>(lengths.size()));
      if (lengths[leaf] >= 31)
        leaf = static_cast<std::size_t>(std::min_element(lengths.begin(), lengths.end()) - lengths.begin());
      lengths.push_back(++lengths[leaf]);
    }
    return lengths;
  }

  CodebookSpec codebook(bool with_vectors) {
    CodebookSpec book{.dimensions = 1 + below(one_in(4) ? 16 : 4)};
    book.lengths = tree(one_in(10) ? 1 : 2 + below(one_in(3) ? 300 : 20));
    switch (below(3)) {
      case 0:
        std::sort(book.lengths.begin(), book.lengths.end());
        book.ordered = true;
        break;
      case 1:
        book.lengths.resize(book.lengths.size() + below(one_in(4) ? 2000 : 10), 0);
        book.sparse = true;
        [[fallthrough]];
      default:
        shuffle(book.lengths);
    }
    if (with_vectors) add_vectors(book);
    return book;
  }

  void add_vectors(CodebookSpec& book) {
    const auto entries = static_cast<std::uint32_t>(book.lengths.size());
    book.lookup = 1 + below(2);
    if (book.sparse && !one_in(100)) book.lookup = 1;
    book.values = entries * book.dimensions;
    if (book.lookup == 1) book.values = power_root(entries, book.dimensions);
    book.value_bits = 1 + below(16);
    if (one_in(3)) book.minimum = static_cast<std::uint32_t>(random_());
    if (one_in(3)) book.step = static_cast<std::uint32_t>(random_());
  }

  /// The largest base whose power `exponent` does not exceed `limit`.
  static std::uint32_t power_root(std::uint32_t limit, std::uint32_t exponent) {
    const auto fits = [=](std::uint64_t base) {
      std::uint64_t power = 1;
      for (std::uint32_t i = 0; i < exponent && power <= limit; ++i) power *= base;
      return power <= limit;
    };
    std::uint32_t base = 1;
    while (fits(base + 1)) ++base;
    return base;
  }

  FloorSpec floor(std::uint32_t books) {
    FloorSpec floor;
    const std::uint32_t classes = 1 + below(4);
    std::uint32_t dimensions = 0, used = 0;
    std::vector<FloorClassSpec> drawn;
    for (std::uint32_t i = 0; i < classes; ++i) {
      FloorClassSpec c{.dimensions = 1 + below(8), .subclass_bits = below(4), .masterbook = below(books)};
      c.books.resize(std::size_t{1} << c.subclass_bits);
      for (std::uint32_t& book : c.books) book = below(books + 1);
      drawn.push_back(c);
    }
    for (std::uint32_t left = below(12); left > 0; --left) {
      const std::uint32_t partition_class = below(classes);
      if (dimensions + drawn[partition_class].dimensions > 63) break;
      floor.partition_classes.push_back(partition_class);
      dimensions += drawn[partition_class].dimensions;
      used = std::max(used, partition_class + 1);
    }
    floor.classes.assign(drawn.begin(), drawn.begin() + used);
    floor.multiplier = std::array{1u, 2u, 4u}[below(3)];
    floor.position_bits = 7 + below(9);
    std::vector<std::uint32_t> all((std::size_t{1} << floor.position_bits) - 1);
    std::iota(all.begin(), all.end(), 1u);
    for (std::uint32_t i = 0; i < dimensions; ++i)
      std::swap(all[i], all[i + below(static_cast<std::uint32_t>(all.size()) - i)]);
    floor.positions.assign(all.begin(), all.begin() + dimensions);
    return floor;
  }

  /// Odd codebooks have vectors.
  ResidueSpec residue(const std::vector<CodebookSpec>& books, std::uint32_t channels) {
    const auto count = static_cast<std::uint32_t>(books.size());
    ResidueSpec residue{.type = 1 + below(channels == 2 || one_in(8) ? 2 : 1)};
    residue.begin = one_in(2) ? 0 : below(one_in(10) ? 1 << 23 : 3000);
    residue.end = residue.begin + below(one_in(10) ? 1 << 23 : 4000);
    residue.classbook = below(count);
    const auto entries = static_cast<std::uint32_t>(books[residue.classbook].lengths.size());
    const std::uint32_t most = std::min(64u, power_root(entries, books[residue.classbook].dimensions));
    residue.cascade.resize(1 + below(most));
    std::uint64_t whole = 1;
    for (std::uint8_t& passes : residue.cascade) {
      passes = static_cast<std::uint8_t>(one_in(2) ? below(256) : 1u << below(8));
      for (int left = std::popcount(passes); left > 0; --left) {
        residue.books.push_back(1 + 2 * below(count / 2));
        whole = std::min<std::uint64_t>(
            5040, std::lcm(whole, std::uint64_t{books[residue.books.back()].dimensions}));
      }
    }
    residue.partition_size = static_cast<std::uint32_t>(whole) * (1 + below(one_in(3) ? 40 : 3));
    return residue;
  }

  MappingSpec mapping(std::uint32_t channels, std::uint32_t floors, std::uint32_t residues) {
    MappingSpec mapping;
    mapping.submaps.resize(one_in(2) ? 1 : 1 + below(15));
    for (auto& [floor, residue] : mapping.submaps) {
      floor = below(floors);
      residue = below(residues);
    }
    mapping.submap_of.resize(channels);
    for (std::uint32_t& submap : mapping.submap_of)
      submap = below(static_cast<std::uint32_t>(mapping.submaps.size()));
    for (std::uint32_t left = channels > 1 && one_in(2) ? 1 + below(channels) : 0; left > 0; --left) {
      const std::uint32_t magnitude = below(channels), step = 1 + below(channels - 1);
      mapping.couplings.emplace_back(magnitude, (magnitude + step) % channels);
    }
    return mapping;
  }

  SetupSpec setup(std::uint32_t channels) {
    SetupSpec setup{
        .channels = channels, .codebooks = {}, .floors = {}, .residues = {}, .mappings = {}, .modes = {}};
    for (std::uint32_t i = 0, count = 2 + below(10); i < count; ++i)
      setup.codebooks.push_back(codebook(i % 2 == 1));
    const auto books = static_cast<std::uint32_t>(setup.codebooks.size());
    const std::uint32_t floors = 1 + below(3), residues = 1 + below(3), mappings = 1 + below(3);
    for (std::uint32_t i = 0; i < floors; ++i) setup.floors.push_back(floor(books));
    for (std::uint32_t i = 0; i < residues; ++i) setup.residues.push_back(residue(setup.codebooks, channels));
    for (std::uint32_t i = 0; i < mappings; ++i)
      setup.mappings.push_back(mapping(channels, floors, residues));
    for (std::uint32_t left = 1 + below(5); left > 0; --left)
      setup.modes.push_back({.is_long = one_in(2), .mapping = below(mappings)});
    return setup;
  }

  Bytes packet() {
    Bytes bytes(1 + below(one_in(3) ? 3000 : 60));
    const bool stuck = one_in(5);
    for (std::uint8_t& byte : bytes)
      byte = static_cast<std::uint8_t>(stuck ? (one_in(2) ? 0 : 255) : below(256));
    bytes[0] &= 0xfe;  // audio
    return bytes;
  }

 private:
  std::mt19937& random_;
};

}  // namespace detail

inline RandomVorbis random_vorbis(std::mt19937& random) {
  detail::VorbisDice dice(random);
  const std::uint32_t channels = 1 + dice.below(dice.one_in(2) ? 2 : 16);
  const std::uint32_t short_log2 = 6 + dice.below(8), long_log2 = short_log2 + dice.below(14 - short_log2);
  RandomVorbis stream{.identification = identification_packet(channels, 32000, short_log2, long_log2),
                      .setup = setup_packet(dice.setup(channels)),
                      .audio = {}};
  for (std::uint32_t left = dice.one_in(4) ? 1 + dice.below(3) : 0; left > 0; --left) {
    const std::size_t at = 7 + dice.below(static_cast<std::uint32_t>(stream.setup.size()) - 7);
    stream.setup[at] = static_cast<std::uint8_t>(stream.setup[at] ^ 1u << dice.below(8));
  }
  for (int i = 0; i < 8; ++i) stream.audio.push_back(dice.packet());
  return stream;
}

}  // namespace pantanal::audio
