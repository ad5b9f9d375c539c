// Slots lie apart, start as zeros, and are found by a pass.
#include "pantanal/autograd/tape.hpp"

#include <gtest/gtest.h>

namespace pantanal::autograd {
namespace {

TEST(Tape, GivesPaddedRowsOfZeros) {
  Tape tape;
  const Slot a = tape.take(6, 17), b = tape.take(2, 16);
  EXPECT_EQ(a.stride, 32u);
  EXPECT_EQ(b.stride, 16u);
  for (std::size_t i = 0; i < 6 * 32; ++i) EXPECT_EQ(a.data[i], 0.0f);
  EXPECT_EQ(a.row(2), a.data + 64);
  EXPECT_EQ(tape.bytes(), (6 * 32 + 2 * 16) * sizeof(float));
  const Pass pass{.files = {1, 3}, .steps = 2};
  EXPECT_EQ(pass.in(a), a.row(2));
  EXPECT_EQ(pass.rows(), 4u);
  tape.clear();
  EXPECT_EQ(tape.bytes(), 0u);
}

}  // namespace
}  // namespace pantanal::autograd
