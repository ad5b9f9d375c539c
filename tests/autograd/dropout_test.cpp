// Dropout's masks: their share and scale, the same for any cut of a batch, the same in the backward.
#include "pantanal/autograd/dropout.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace pantanal::autograd {
namespace {

constexpr std::size_t rows = 300, columns = 37, stride = 48;

std::vector<float> masks(const Dropout& dropout, const Pass& pass, std::size_t cut) {
  std::vector<float> x(rows * stride, 1.0f);
  dropout.forward(pass, 0, cut, x.data(), stride);
  dropout.forward(pass, cut, rows - cut, x.data() + cut * stride, stride);
  return x;
}

TEST(Dropout, DropsItsShareAndScalesTheRest) {
  Tape tape;
  Dropout dropout(0.3f, purpose::dropout);
  dropout.plan(tape, rows, columns);
  const Pass pass{.seed = 4, .epoch = 1};
  const std::vector<float> x = masks(dropout, pass, 120);
  std::size_t dropped = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (i % stride >= columns) {
      ASSERT_EQ(x[i], 1.0f) << "the padding is not touched";
    } else if (x[i] == 0) {
      ++dropped;
    } else {
      ASSERT_FLOAT_EQ(x[i], 1 / 0.7f);
    }
  }
  EXPECT_NEAR(static_cast<double>(dropped) / (rows * columns), 0.3, 0.015);
  std::vector<float> dx(rows * stride, 1.0f);
  dropout.backward(pass, 0, rows, dx.data(), stride);
  EXPECT_EQ(dx, x) << "the backward has the forward's masks";
  EXPECT_EQ(masks(dropout, pass, 7), x) << "however the batch is cut";
  EXPECT_NE(masks(dropout, {.seed = 4, .epoch = 2}, 7), x);
  EXPECT_NE(masks(dropout, {.seed = 5, .epoch = 1}, 7), x);
}

TEST(Dropout, IsOffOutsideTraining) {
  Tape tape;
  Dropout dropout(0.3f, purpose::dropout), none(0.0f, purpose::dropout);
  dropout.plan(tape, rows, columns), none.plan(tape, rows, columns);
  const std::vector<float> ones(rows * stride, 1.0f);
  EXPECT_EQ(masks(dropout, {.training = false}, 7), ones);
  EXPECT_EQ(masks(none, {}, 7), ones);
}

}  // namespace
}  // namespace pantanal::autograd
