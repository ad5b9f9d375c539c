// AdamW's step on every instruction set against the same arithmetic in double, and the sum of squares.
#include <cmath>

#include "kernels/guarded.hpp"

namespace pantanal::kernels {
namespace {

TEST(AdamWKernel, IsOneStep) {
  for (const KernelTable* table : all_tables())
    for (const std::size_t size : {1, 15, 16, 37, 1000}) {
      const std::vector<float> value = random_floats(size, 1), first = random_floats(size, 2, 0.1f),
                               gradient = random_floats(size, 3);
      Guarded found(size), m(size), v(size);
      AdamWArgs a{.value = found.data(),
                  .first = m.data(),
                  .second = v.data(),
                  .gradient = gradient.data(),
                  .size = size,
                  .gradient_scale = 0.5f,
                  .beta1 = 0.85f,
                  .beta2 = 0.999f,
                  .decay = 0.999f,
                  .step_size = 0.01f,
                  .root = 0.1f};
      for (std::size_t i = 0; i < size; ++i) {
        found.data()[i] = value[i], m.data()[i] = first[i];
        v.data()[i] = first[i] * first[i];
      }
      table->adamw(a);
      for (std::size_t i = 0; i < size; ++i) {
        const double g = 0.5 * double{gradient[i]}, m1 = 0.85 * double{first[i]} + 0.15 * g,
                     v1 = 0.999 * std::pow(double{first[i]}, 2) + 0.001 * g * g;
        EXPECT_NEAR(m[i], m1, 1e-6);
        EXPECT_NEAR(v[i], v1, 1e-6);
        EXPECT_NEAR(found[i], 0.999 * double{value[i]} - 0.01 * m1 / (std::sqrt(v1) / 0.1 + 1e-8), 1e-6);
      }
    }
}

TEST(SumSquares, KeepsItsDigits) {
  for (const KernelTable* table : all_tables())
    for (const std::size_t size : {0, 1, 17, 4096, 100003}) {
      const std::vector<float> x = random_floats(size, 1);
      double expected = 0;
      for (const float value : x) expected += double{value} * double{value};
      EXPECT_NEAR(table->sum_squares(x.data(), size), expected, 1e-6 * expected);
    }
}

}  // namespace
}  // namespace pantanal::kernels
