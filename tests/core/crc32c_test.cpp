#include "pantanal/core/crc32c.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <string_view>
#include <vector>

namespace pantanal {
namespace {

std::vector<std::byte> random_bytes(std::size_t size) {
  std::mt19937_64 random(size);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

/// Bit by bit, as the definition has it.
std::uint32_t by_definition(std::span<const std::byte> bytes) {
  std::uint32_t state = ~0u;
  for (const std::byte byte : bytes) {
    state ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) state = (state >> 1) ^ ((state & 1) ? 0x82f63b78 : 0);
  }
  return ~state;
}

TEST(Crc32c, GivesThePublishedValues) {  // RFC 3720, B.4, and the usual check value
  std::vector<std::byte> bytes(32);
  EXPECT_EQ(crc32c(bytes), 0x8a9136aau);
  for (std::byte& byte : bytes) byte = std::byte{0xff};
  EXPECT_EQ(crc32c(bytes), 0x62a8ab43u);
  for (std::size_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::byte>(i);
  EXPECT_EQ(crc32c(bytes), 0x46dd794eu);
  for (std::size_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::byte>(31 - i);
  EXPECT_EQ(crc32c(bytes), 0x113fdb5cu);
  EXPECT_EQ(crc32c(std::as_bytes(std::span(std::string_view("123456789")))), 0xe3069283u);
}

TEST(Crc32c, OfNothingIsZero) {
  EXPECT_EQ(crc32c({}), 0u);
  EXPECT_EQ(Crc32c().value(), 0u);
}

TEST(Crc32c, FollowsTheDefinitionAtEveryLength) {
  const std::vector<std::byte> bytes = random_bytes(100);
  for (std::size_t size = 0; size <= bytes.size(); ++size)
    EXPECT_EQ(crc32c(std::span(bytes).first(size)), by_definition(std::span(bytes).first(size))) << size;
}

TEST(Crc32c, EveryRouteAgrees) {
  const std::vector<std::byte> bytes = random_bytes(5 * 12288 + 777);
  for (const std::size_t start : {0u, 1u, 3u, 7u, 13u})
    for (const std::size_t size :
         {7u, 8u, 4095u, 12287u, 12288u, 12289u, 24576u, 36863u, 5u * 12288u + 700u}) {
      const auto part = std::span<const std::byte>(bytes).subspan(start, size);
      const std::uint32_t expected = by_definition(part);
      EXPECT_EQ(crc32c(part), expected) << start << " " << size;
      EXPECT_EQ(~detail::crc32c_portable(~0u, part), expected) << start << " " << size;
    }
}

TEST(Crc32c, GrowsPieceByPiece) {
  const std::vector<std::byte> bytes = random_bytes(50000);
  std::mt19937 random(1);
  for (int round = 0; round < 20; ++round) {
    Crc32c crc;
    for (std::size_t done = 0; done < bytes.size();) {
      const std::size_t piece = std::min<std::size_t>(random() % 20000, bytes.size() - done);
      crc.update(std::span(bytes).subspan(done, piece));
      done += piece;
    }
    EXPECT_EQ(crc.value(), crc32c(bytes));
  }
}

TEST(Crc32c, SeesEveryFlippedBit) {
  std::vector<std::byte> bytes = random_bytes(64);
  const std::uint32_t original = crc32c(bytes);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    const std::byte mask{static_cast<unsigned char>(1u << (bit % 8))};
    bytes[bit / 8] ^= mask;
    EXPECT_NE(crc32c(bytes), original) << bit;
    bytes[bit / 8] ^= mask;
  }
}

}  // namespace
}  // namespace pantanal
