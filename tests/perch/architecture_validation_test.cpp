#include "pantanal/perch/architecture_validation.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "core/refused.hpp"
#include "perch/random_model.hpp"

namespace pantanal::perch {
namespace {

using fixtures::perch_v2_architecture;
using fixtures::smallest_architecture;
using fixtures::tiny_architecture;

struct Change {
  std::string_view names;  ///< what the error must name
  std::function<void(Architecture&)> apply;
};

TEST(ValidateArchitecture, AcceptsPerchAndItsReductions) {
  for (const Architecture& architecture :
       {perch_v2_architecture(14795), perch_v2_architecture(0), tiny_architecture(), smallest_architecture()})
    EXPECT_TRUE(succeeded(validate(architecture)));
}

TEST(ValidateArchitecture, PerchHasTheExtentsOfItsDescription) {
  const std::vector<Extent> extents = perch_v2_architecture(0).extents();
  EXPECT_EQ(extents[0], (Extent{249, 63}));
  EXPECT_EQ(extents[3], (Extent{125, 32}));
  EXPECT_EQ(extents[6], (Extent{63, 16}));
  EXPECT_EQ(extents[9], (Extent{32, 8}));
  EXPECT_EQ(extents[26], (Extent{16, 4}));
}

TEST(ValidateArchitecture, AcceptsTheEdges) {
  Architecture architecture = tiny_architecture();
  architecture.label.classes = 0;
  architecture.label.prototypes = 0;
  architecture.frontend.fft_size = 1u << 16;
  architecture.frontend.pad_left = architecture.frontend.pad_right = 0;
  EXPECT_TRUE(succeeded(validate(architecture)));
}

TEST(ValidateArchitecture, NamesWhatIsOutOfRange) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr std::size_t huge = std::numeric_limits<std::size_t>::max();
  const Change changes[] = {
      {"frontend.samples", [](auto& a) { a.frontend.samples = 0; }},
      {"frontend.samples", [](auto& a) { a.frontend.samples = huge; }},
      {"frontend.samples", [](auto& a) { a.frontend.samples = 100; }},  // with the pads, less than a frame
      {"frontend.sample_rate", [](auto& a) { a.frontend.sample_rate = 0; }},
      {"frontend.fft_size", [](auto& a) { a.frontend.fft_size = 513; }},
      {"frontend.fft_size", [](auto& a) { a.frontend.fft_size = 0; }},
      {"frontend.fft_size", [](auto& a) { a.frontend.fft_size = 1u << 17; }},
      {"frontend.frame_length", [](auto& a) { a.frontend.frame_length = 0; }},
      {"frontend.frame_length", [](auto& a) { a.frontend.frame_length = a.frontend.fft_size + 1; }},
      {"frontend.hop_length", [](auto& a) { a.frontend.hop_length = 0; }},
      {"frontend.pad_left", [](auto& a) { a.frontend.pad_left = huge; }},
      {"frontend.pad_right", [](auto& a) { a.frontend.pad_right = a.frontend.frame_length + 1; }},
      {"frontend.mel_bands", [](auto& a) { a.frontend.mel_bands = 0; }},
      {"frontend.mel_bands", [](auto& a) { a.frontend.mel_bands = huge; }},
      {"frontend.floor", [](auto& a) { a.frontend.floor = 0; }},
      {"frontend.floor", [](auto& a) { a.frontend.floor = nan; }},
      {"frontend.scale", [](auto& a) { a.frontend.scale = infinity; }},
      {"stem.channels", [](auto& a) { a.stem.channels = 0; }},
      {"stem.channels", [](auto& a) { a.stem.channels = 65537; }},
      {"stem.conv.kernel", [](auto& a) { a.stem.conv.kernel = 4; }},
      {"stem.conv.kernel", [](auto& a) { a.stem.conv.kernel = 17; }},
      {"stem.conv.kernel", [](auto& a) { a.stem.conv.kernel = 0; }},
      {"stem.conv.stride", [](auto& a) { a.stem.conv.stride = 0; }},
      {"stem.conv.stride", [](auto& a) { a.stem.conv.stride = 5; }},
      {"stem.conv.pads", [](auto& a) { a.stem.conv.pads.right = 3; }},
      {"stem.conv.pads", [](auto& a) { a.stem.conv.pads.top = huge; }},
      {"stem.conv", [](auto& a) { a.frontend.mel_bands = 2; }},  // narrower than the kernel
      {"blocks", [](auto& a) { a.blocks.clear(); }},
      {"blocks", [](auto& a) { a.blocks.resize(257); }},
      {"blocks[0].in_channels", [](auto& a) { a.stem.channels += 1; }},
      {"blocks[3].in_channels", [](auto& a) { a.blocks[2].out_channels += 1; }},
      {"blocks[2].expanded_channels", [](auto& a) { a.blocks[2].expanded_channels = 0; }},
      {"blocks[0].expanded_channels", [](auto& a) { a.blocks[0].expanded_channels = 10; }},
      {"blocks[2].se_channels", [](auto& a) { a.blocks[2].se_channels = 0; }},
      {"blocks[13].out_channels", [](auto& a) { a.blocks[13].out_channels = huge; }},
      {"blocks[2].depthwise.kernel", [](auto& a) { a.blocks[2].depthwise.kernel = 2; }},
      {"blocks[2].has_skip", [](auto& a) { a.blocks[2].has_skip = true; }},
      {"blocks[3].has_skip", [](auto& a) { a.blocks[3].depthwise.pads.top += 1; }},
      {"blocks[13].depthwise",
       [](auto& a) { a.blocks[13].depthwise.pads = {}; }},  // 4 x 1 under a kernel of 3
      {"head.channels", [](auto& a) { a.head.channels = 0; }},
      {"label.classes", [](auto& a) { a.label.classes = huge; }},
      {"label.prototypes", [](auto& a) { a.label.prototypes = 0; }},
      {"label.prototypes", [](auto& a) { a.label.prototypes = 65; }},
      {"label.eps", [](auto& a) { a.label.eps = 0; }},
      {"label.eps", [](auto& a) { a.label.eps = nan; }},
  };
  for (const Change& change : changes) {
    Architecture architecture = tiny_architecture();
    change.apply(architecture);
    EXPECT_TRUE(refused(validate(architecture, "file"), ErrorCode::mismatch,
                        {"file: architecture." + std::string(change.names) + ": mismatch: found "}))
        << change.names;
  }
}

TEST(ValidateArchitecture, BoundsTheImages) {
  Architecture architecture = perch_v2_architecture(0);
  architecture.blocks[2].expanded_channels = 65536;  // 249 x 63 x 65536 is a thousand million
  EXPECT_TRUE(refused(validate(architecture), ErrorCode::mismatch,
                      {"architecture.blocks[2]", "1028063232 values", "at most 268435456"}));
}

}  // namespace
}  // namespace pantanal::perch
