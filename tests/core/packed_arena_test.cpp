#include "pantanal/core/packed_arena.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace pantanal {
namespace {

bool is_aligned(const void* p) { return reinterpret_cast<std::uintptr_t>(p) % cache_line == 0; }

TEST(PackedArena, GivesTheSameBuffersAgainFromACopyOfTheirBytes) {
  PackedArena first;
  PackedBuffer<float> a = first.take<float>(17);
  PackedBuffer<std::int16_t> none = first.take<std::int16_t>(0), b = first.take<std::int16_t>(32);
  PackedBuffer<std::uint32_t> c = first.take<std::uint32_t>(1);
  EXPECT_FALSE(first.is_packed());
  EXPECT_EQ(a[16], 0) << "zero until it is packed";
  for (std::size_t i = 0; i < 17; ++i) a.writable()[i] = static_cast<float>(i);
  for (std::size_t i = 0; i < 32; ++i) b.writable()[i] = static_cast<std::int16_t>(-i);
  c.writable()[0] = 7;
  ASSERT_EQ(first.bytes(), 128u + 0 + 64 + 64);

  AlignedBuffer<std::byte> copy(first.bytes());
  std::size_t at = 0;
  for (const auto bytes : first.taken()) {
    std::ranges::copy(bytes, copy.data() + at);
    at += (bytes.size() + 63) / 64 * 64;
  }
  PackedArena again(copy.span());
  EXPECT_TRUE(again.is_packed());
  const auto a2 = again.take<float>(17);
  EXPECT_EQ(again.take<std::int16_t>(0).size(), 0u);
  auto b2 = again.take<std::int16_t>(32);
  const auto c2 = again.take<std::uint32_t>(1);
  EXPECT_TRUE(std::ranges::equal(a2.span(), a.span()));
  EXPECT_TRUE(std::ranges::equal(b2.span(), b.span()));
  EXPECT_EQ(c2[0], 7u);
  EXPECT_EQ(static_cast<const void*>(c2.data()), copy.data() + 192) << "a view, not a copy";
  EXPECT_EQ(b2.writable(), nullptr) << "which nobody may write";
  for (const void* const p : {static_cast<const void*>(a2.data()), static_cast<const void*>(b2.data())})
    EXPECT_TRUE(is_aligned(p));
  EXPECT_EQ(again.bytes(), first.bytes());
  EXPECT_EQ(again.take<float>(1).size(), 0u) << "there is no more";
  EXPECT_GT(again.bytes(), first.bytes()) << "which its size tells";
}

TEST(PackedArena, MovesBuffersWithoutMovingTheirBytes) {
  PackedBuffer<float> own(3);
  const float* const address = own.data();
  EXPECT_TRUE(is_aligned(address));
  PackedBuffer<float> moved = std::move(own);
  EXPECT_EQ(moved.data(), address);
  EXPECT_EQ(own.size(), 0u);
  EXPECT_EQ(own.data(), nullptr);
  own = std::move(moved);
  EXPECT_EQ(own.writable(), address);
  EXPECT_EQ(moved.size(), 0u);
}

TEST(PackedArena, IsNotNeeded) {
  EXPECT_FALSE(is_packed(nullptr));
  EXPECT_EQ(take_packed<float>(nullptr, 5).size(), 5u);
  PackedArena arena;
  EXPECT_EQ(take_packed<float>(&arena, 5).size(), 5u);
  EXPECT_EQ(arena.taken().size(), 1u);
}

}  // namespace
}  // namespace pantanal
