#include "golden/perch_window.hpp"

#include <cstdio>
#include <span>
#include <string>

#include <gtest/gtest.h>

#include "pantanal/core/crc32c.hpp"
#include "pantanal/io/safetensors.hpp"

namespace pantanal::golden {
namespace {

std::string checksum(std::uint32_t seed) {
  const std::vector<std::int16_t> samples = window_int16(seed);
  char text[9];
  std::snprintf(text, sizeof text, "%08x", crc32c(std::as_bytes(std::span(samples))));
  return text;
}

TEST(GoldenWindow, IsTheOneTheExpectedOutputsBelongTo) {
  const std::string folder = PANTANAL_SOURCE_DIR "/tests/golden/perch/";
  for (const char* name : {"tiny_shipped.expected.safetensors", "savedmodel.expected.safetensors"}) {
    const Result<SafetensorsFile> file = SafetensorsFile::open(folder + name);
    ASSERT_TRUE(file) << file.error().message();
    EXPECT_EQ(file->metadata().at("window_crc32c"), checksum(0) + " " + checksum(1)) << name;
  }
}

TEST(GoldenWindow, RotatesItsPartsByTheSeed) {
  const std::vector<float> first = window(0), second = window(1);
  for (std::size_t i = 0; i < 32000; ++i) {
    ASSERT_EQ(first[64000 + i], 0.0f);  // silence is part 2
    ASSERT_EQ(second[32000 + i], 0.0f);
  }
  EXPECT_EQ(*std::ranges::max_element(first), 32767.0f / 32768.0f);
  EXPECT_EQ(*std::ranges::min_element(first), -1.0f);
}

}  // namespace
}  // namespace pantanal::golden
