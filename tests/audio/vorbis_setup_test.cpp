#include "pantanal/audio/vorbis_setup.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "audio/audio_files.hpp"
#include "audio/vorbis_writer.hpp"
#include "core/refused.hpp"

namespace pantanal::audio {
namespace {

constexpr std::uint32_t short_log2 = 6, long_log2 = 9;

Result<VorbisInfo> read(const Bytes& packet, std::uint32_t channels) {
  auto info =
      read_vorbis_identification(identification_packet(channels, 32000, short_log2, long_log2), "f.ogg");
  if (info) PANTANAL_TRY_STATUS(read_vorbis_setup(packet, "f.ogg", *info));
  return info;
}

Result<VorbisInfo> read(const SetupSpec& setup) { return read(setup_packet(setup), setup.channels); }

/// A setup that uses everything and is sound, for two channels.
SetupSpec sound_setup() {
  const CodebookSpec classes{.dimensions = 2, .lengths = {1, 2, 3, 3}};
  const CodebookSpec lattice{.dimensions = 2, .lengths = {2, 2, 2, 3, 3}, .lookup = 1, .values = 2};
  const CodebookSpec listed{.dimensions = 4, .lengths = {1, 1}, .ordered = true, .lookup = 2, .values = 8};
  const CodebookSpec sparse{.lengths = {0, 1, 0, 0, 0, 0, 2, 2, 0}, .sparse = true};
  const CodebookSpec single{.lengths = {1}};
  const FloorSpec floor{.partition_classes = {0, 1},
                        .classes = {{.dimensions = 2, .books = {4}},
                                    {.dimensions = 1, .subclass_bits = 1, .masterbook = 0, .books = {0, 5}}},
                        .multiplier = 2,
                        .position_bits = 5,
                        .positions = {3, 9, 17}};
  const ResidueSpec coupled{
      .type = 2, .end = 512, .partition_size = 16, .classbook = 0, .cascade = {0x09, 0}, .books = {1, 2}};
  const ResidueSpec separate{
      .type = 1, .end = 100, .partition_size = 4, .classbook = 0, .cascade = {0x82}, .books = {2, 1}};
  const MappingSpec both{.couplings = {{0, 1}}, .submaps = {{0, 0}}};
  const MappingSpec each{.submap_of = {0, 1}, .submaps = {{0, 1}, {1, 1}}};
  return {.channels = 2,
          .codebooks = {classes, lattice, listed, sparse, single},
          .floors = {floor, {}},
          .residues = {coupled, separate},
          .mappings = {both, each},
          .modes = {{.is_long = false, .mapping = 1},
                    {.is_long = true, .mapping = 0},
                    {.is_long = true, .mapping = 1}}};
}

/// Changes the sound setup and expects the error to say `word`.
void expect_refused(ErrorCode code, std::string_view word, const std::function<void(SetupSpec&)>& change) {
  SetupSpec setup = sound_setup();
  change(setup);
  EXPECT_TRUE(refused(read(setup), code, {"f.ogg", word}));
}

TEST(VorbisSetup, TellsTheBlocksOfItsModes) {
  const auto info = read(sound_setup());
  ASSERT_TRUE(succeeded(info));
  EXPECT_EQ(info->mode_blocks, (std::vector<std::uint8_t>{0, 1, 1}));
}

TEST(VorbisSetup, AcceptsTheSmallest) { EXPECT_TRUE(succeeded(read(SetupSpec{}))); }

TEST(VorbisSetup, AcceptsEncodedFiles) {
  for (const char* name :
       {"vorbis_8000.ogg", "vorbis_16000.ogg", "vorbis_22050_stereo.ogg", "vorbis_48000_five.ogg"}) {
    const auto packets = ogg_packets(bytes_of(golden(name)));
    auto info = read_vorbis_identification(packets[0], name);
    ASSERT_TRUE(succeeded(info));
    EXPECT_TRUE(succeeded(read_vorbis_setup(packets[2], name, *info)));
    EXPECT_FALSE(info->mode_blocks.empty());
  }
}

TEST(VorbisSetup, EveryTruncationIsRefused) {
  const Bytes whole = setup_packet(sound_setup());
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(read(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)), 2))
        << length;
}

TEST(VorbisSetup, RefusesOtherPackets) {
  EXPECT_TRUE(refused(read(comment_packet(), 1), ErrorCode::corrupt, {"no Vorbis setup header"}));
  expect_refused(ErrorCode::corrupt, "framing bit", [](SetupSpec& s) { s.framing = false; });
  expect_refused(ErrorCode::corrupt, "time-domain", [](SetupSpec& s) { s.time_transform = 1; });
}

TEST(VorbisSetup, ChecksEveryCodebook) {
  expect_refused(ErrorCode::corrupt, "no tree", [](SetupSpec& s) {
    s.codebooks[3] = {.lengths = {1, 1, 1}};
  });
  expect_refused(ErrorCode::unsupported, "running sums",
                 [](SetupSpec& s) { s.codebooks[1].running_sums = true; });
}

TEST(VorbisSetup, RefusesReferencesToUselessCodebooks) {
  const auto reference = [](const std::function<void(SetupSpec&)>& change) {
    expect_refused(ErrorCode::corrupt, "reference to codebook", change);
  };
  reference([](SetupSpec& s) { s.floors[0].classes[0].books = {6}; });
  reference([](SetupSpec& s) { s.floors[0].classes[1].masterbook = 5; });
  reference([](SetupSpec& s) { s.residues[0].classbook = 5; });
  reference([](SetupSpec& s) { s.residues[0].books = {1, 200}; });
  reference([](SetupSpec& s) { s.residues[0].books = {1, 0}; });  // it has codes and no vectors
  reference([](SetupSpec& s) {
    s.codebooks[3] = {.lengths = {0, 0, 0, 0, 0}, .sparse = true};
  });  // floor 0 reads it
  SetupSpec unused = sound_setup();
  unused.codebooks.push_back({.lengths = {0, 0, 0, 0, 0}, .sparse = true});
  EXPECT_TRUE(succeeded(read(unused)));
}

TEST(VorbisSetup, RefusesUnusableFloors) {
  expect_refused(ErrorCode::unsupported, "floor of type 0", [](SetupSpec& s) { s.floors[1].type = 0; });
  expect_refused(ErrorCode::corrupt, "floor of type 2", [](SetupSpec& s) { s.floors[1].type = 2; });
  expect_refused(ErrorCode::unsupported, "multiplier 3", [](SetupSpec& s) { s.floors[0].multiplier = 3; });
  expect_refused(ErrorCode::corrupt, "repeated positions", [](SetupSpec& s) {
    s.floors[0].positions = {3, 9, 9};
  });
  expect_refused(ErrorCode::corrupt, "repeated positions", [](SetupSpec& s) {
    s.floors[0].positions = {0, 9, 3};
  });
  expect_refused(ErrorCode::corrupt, "too many", [](SetupSpec& s) {
    FloorSpec& floor = s.floors[1];
    floor.partition_classes.assign(8, 0);
    floor.classes = {{.dimensions = 8, .books = {0}}};
    for (std::uint32_t i = 1; i <= 64; ++i) floor.positions.push_back(i);
  });
}

TEST(VorbisSetup, RefusesUnusableResidues) {
  expect_refused(ErrorCode::unsupported, "residue of type 0", [](SetupSpec& s) { s.residues[1].type = 0; });
  expect_refused(ErrorCode::corrupt, "residue of type 3", [](SetupSpec& s) { s.residues[1].type = 3; });
  expect_refused(ErrorCode::corrupt, "ends before", [](SetupSpec& s) { s.residues[1].begin = 101; });
  expect_refused(ErrorCode::corrupt, "outnumber", [](SetupSpec& s) { s.residues[1].cascade = {0x82, 0, 0}; });
  // Vectors of four do not divide a partition of six: the last one would pass the end of the block.
  expect_refused(ErrorCode::unsupported, "whole number",
                 [](SetupSpec& s) { s.residues[0].partition_size = 6; });
}

TEST(VorbisSetup, RefusesUnusableMappings) {
  expect_refused(ErrorCode::corrupt, "mapping of unknown type", [](SetupSpec& s) { s.mappings[0].type = 1; });
  expect_refused(ErrorCode::corrupt, "reserved", [](SetupSpec& s) { s.mappings[0].reserved = 1; });
  expect_refused(ErrorCode::corrupt, "coupling of channels 1 and 1", [](SetupSpec& s) {
    s.mappings[0].couplings = {{1, 1}};
  });
  expect_refused(ErrorCode::corrupt, "more coupling steps", [](SetupSpec& s) {
    s.mappings[0].couplings = {{0, 1}, {0, 1}, {0, 1}};
  });
  expect_refused(ErrorCode::corrupt, "submap 2", [](SetupSpec& s) { s.mappings[1].submap_of = {0, 2}; });
  expect_refused(ErrorCode::corrupt, "floor 2", [](SetupSpec& s) { s.mappings[1].submaps[1].first = 2; });
  expect_refused(ErrorCode::corrupt, "residue 2", [](SetupSpec& s) { s.mappings[1].submaps[1].second = 2; });
  expect_refused(ErrorCode::unsupported, "16 submaps", [](SetupSpec& s) {
    s.mappings[1].submaps.resize(16, {0, 1});
  });
}

TEST(VorbisSetup, RefusesUnusableModes) {
  expect_refused(ErrorCode::corrupt, "window", [](SetupSpec& s) { s.modes[0].window = 1; });
  expect_refused(ErrorCode::corrupt, "transform", [](SetupSpec& s) { s.modes[2].transform = 1; });
  expect_refused(ErrorCode::corrupt, "mode with mapping 2", [](SetupSpec& s) { s.modes[1].mapping = 2; });
}

TEST(VorbisSetup, RefusesSurroundThatTheDecoderWouldGarble) {
  SetupSpec setup = sound_setup();
  setup.channels = 3;
  setup.mappings[1].submap_of = {0, 1, 1};
  EXPECT_TRUE(succeeded(read(setup)));  // three channels in a residue that ends where two would
  setup.residues[0].end = 513;
  EXPECT_TRUE(refused(read(setup), ErrorCode::unsupported, {"3 channels coded together"}));
  setup.channels = 1;
  setup.mappings = {{}, {.submap_of = {1}, .submaps = {{0, 1}, {1, 0}}}};
  EXPECT_TRUE(refused(read(setup), ErrorCode::unsupported, {"1 channels coded together"}));
}

}  // namespace
}  // namespace pantanal::audio
