// Slopes of the functions of one variable on every instruction set, from the deepest tails to the largest
// floats.
#include "kernels/central_differences.hpp"
#include "kernels/guarded.hpp"
#include "pantanal/kernels/reference_backward.hpp"

namespace pantanal::kernels {
namespace {

constexpr Function functions[] = {Function::exp,  Function::exp2,     Function::silu,
                                  Function::gelu, Function::softplus, Function::relu};

TEST(MapBackward, ReferenceIsTheSlope) {
  for (const Function function : functions)
    for (double x = -9.01; x < 9; x += 0.37) {
      const double h = 1e-5,
                   slope = (reference::map(function, x + h) - reference::map(function, x - h)) / (2 * h);
      EXPECT_NEAR(reference::slope(function, x), slope, 1e-8 * std::max(1.0, std::abs(slope)));
    }
}

TEST(MapBackward, AgreesWithTheReference) {
  for (const KernelTable* table : all_tables())
    for (const Function function : functions)
      for (const std::size_t columns : {1, 15, 16, 37}) {
        const std::size_t rows = 40, stride = columns + 3;
        const float scale = function == Function::exp || function == Function::exp2 ? 2.0f : 4.0f;
        const std::vector<float> x = random_floats(rows * stride, 1, scale),
                                 dy = random_floats(rows * stride, 2);
        Guarded found(rows * stride);
        std::copy(dy.begin(), dy.end(), found.data());
        table->map_backward(function, x.data(), found.data(), rows, stride, columns);
        for (std::size_t i = 0; i < x.size(); ++i) {
          const double slope = i % stride < columns ? reference::slope(function, x[i]) : 1.0,
                       expected = double{dy[i]} * slope;
          EXPECT_NEAR(found[i], expected, 4e-7 * std::abs(double{dy[i]}) * std::max(1.0, std::abs(slope)))
              << to_string(table->isa) << " at " << x[i];
        }
      }
}

TEST(MapBackward, SaturatesAtTheEnds) {
  const std::vector<float> x{-3e38f, -1e4f, -90.0f, 90.0f, 1e4f, 3e38f};
  for (const KernelTable* table : all_tables())
    for (const Function function : {Function::silu, Function::gelu, Function::softplus}) {
      std::vector<float> dy(x.size(), 1.0f);
      table->map_backward(function, x.data(), dy.data(), 1, x.size(), x.size());
      for (std::size_t i = 0; i < x.size(); ++i)
        EXPECT_LE(std::abs(dy[i] - (x[i] > 0 ? 1.0f : 0.0f)), 1e-30f)
            << to_string(table->isa) << " at " << x[i];
    }
}

}  // namespace
}  // namespace pantanal::kernels
