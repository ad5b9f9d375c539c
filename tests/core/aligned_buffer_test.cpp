#include "pantanal/core/aligned_buffer.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

namespace pantanal {
namespace {

TEST(AlignedBuffer, IsZeroedAndOnACacheLine) {
  for (const std::size_t size : {1, 15, 1000}) {
    AlignedBuffer<float> buffer(size);
    ASSERT_EQ(buffer.size(), size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % cache_line, 0u);
    for (const float x : buffer.span()) EXPECT_EQ(x, 0.0f);
  }
}

TEST(AlignedBuffer, EmptyHoldsNothing) {
  EXPECT_EQ(AlignedBuffer<float>().size(), 0u);
  EXPECT_EQ(AlignedBuffer<float>(0).data(), nullptr);
}

TEST(AlignedBuffer, MovesItsStorageAndLeavesNothingBehind) {
  AlignedBuffer<int> a(3);
  a[1] = 5;
  const int* storage = a.data();
  AlignedBuffer<int> b(std::move(a));
  EXPECT_EQ(b.data(), storage);
  EXPECT_EQ(b[1], 5);
  EXPECT_EQ(a.size(), 0u);  // NOLINT: what a moved-from buffer says is part of its contract
  a = std::move(b);
  EXPECT_EQ(a.size(), 3u);
  EXPECT_TRUE(b.span().empty());  // NOLINT
}

}  // namespace
}  // namespace pantanal
