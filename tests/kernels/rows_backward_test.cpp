// Gradients of LayerNorm and softmax: the references against central differences, every instruction set
// against them.
#include "kernels/central_differences.hpp"
#include "kernels/guarded.hpp"
#include "pantanal/kernels/reference_backward.hpp"

namespace pantanal::kernels {
namespace {

constexpr float eps = 1e-5f;

TEST(LayerNormBackward, ReferenceIsTheGradient) {
  constexpr std::size_t rows = 3, columns = 7;
  std::vector<float> x = random_floats(rows * columns, 1, 2.0f), weight = random_floats(columns, 2),
                     bias = random_floats(columns, 3);
  const std::vector<float> dy = random_floats(rows * columns, 4);
  const auto loss = [&] { return weighted_sum(reference::layer_norm(x, columns, eps, weight, bias), dy); };
  const auto found = reference::layer_norm_backward(x, dy, weight, columns, eps);
  expect_gradient(found.dx, central_differences(x, loss), "dx");
  expect_gradient(found.dweight, central_differences(weight, loss), "dweight");
  expect_gradient(found.dbias, central_differences(bias, loss), "dbias");
}

TEST(LayerNormBackward, AgreesWithTheReference) {
  for (const KernelTable* table : all_tables())
    for (const std::size_t columns : {3, 5, 16, 33, 320}) {
      constexpr std::size_t rows = 6;
      std::vector<float> x = random_floats(rows * columns, 1, 2.0f);
      for (float& value : x) value += 3;
      const std::vector<float> dy = random_floats(rows * columns, 2), weight = random_floats(columns, 3);
      Guarded dx(x.size()), statistics(2 * rows), dweight(columns), dbias(columns);
      table->layer_norm_backward({.x = x.data(),
                                  .dy = dy.data(),
                                  .weight = weight.data(),
                                  .dx = dx.data(),
                                  .statistics = statistics.data(),
                                  .rows = rows,
                                  .stride = columns,
                                  .columns = columns,
                                  .eps = eps});
      table->layer_norm_weight_gradient({.x = x.data(),
                                         .dy = dy.data(),
                                         .statistics = statistics.data(),
                                         .dweight = dweight.data(),
                                         .dbias = dbias.data(),
                                         .rows = rows,
                                         .stride = columns,
                                         .columns = columns});
      SCOPED_TRACE(testing::Message() << to_string(table->isa) << ", " << columns << " columns");
      const auto expected = reference::layer_norm_backward(x, dy, weight, columns, eps);
      expect_gradient(dx, expected.dx, "dx", 1e-5);
      expect_gradient(dweight, expected.dweight, "dweight", 1e-5);
      expect_gradient(dbias, expected.dbias, "dbias", 1e-5);
    }
}

TEST(SoftmaxRowsBackward, IsTheGradientOfSoftmax) {
  for (const KernelTable* table : all_tables())
    for (const std::size_t columns : {1, 3, 12, 17}) {
      constexpr std::size_t rows = 4;
      constexpr float scale = 0.7f;
      std::vector<float> x = random_floats(rows * columns, 1, 2.0f);
      const std::vector<float> dy = random_floats(rows * columns, 2);
      const auto expected = central_differences(
          x, [&] { return weighted_sum(reference::softmax_rows(x, columns, double{scale}), dy); });
      std::vector<float> p = x;
      table->softmax_rows(p.data(), rows, columns, columns, scale);
      Guarded dx(x.size());
      std::copy(dy.begin(), dy.end(), dx.data());
      table->softmax_rows_backward(p.data(), dx.data(), rows, columns, columns, scale);
      expect_gradient(dx, expected, to_string(table->isa));
    }
}

}  // namespace
}  // namespace pantanal::kernels
