// The matrix product of every instruction set against its double reference: transposed, added to, all tails.
#include "kernels/central_differences.hpp"
#include "kernels/guarded.hpp"
#include "pantanal/kernels/reference_backward.hpp"

namespace pantanal::kernels {
namespace {

struct GemmCase {
  std::size_t rows, columns, depth;
  bool transposed = false, accumulate = false;
};

void check_gemm(const KernelTable& table, const GemmCase& g) {
  const std::vector<float> a = random_floats(g.rows * g.depth, 1), b = random_floats(g.depth * g.columns, 2);
  std::vector<float> transposed(a.size());
  for (std::size_t i = 0; i < g.rows; ++i)
    for (std::size_t k = 0; k < g.depth; ++k) transposed[k * g.rows + i] = a[i * g.depth + k];
  std::vector<double> expected = reference::gemm(a, b, g.rows, g.columns, g.depth);
  Guarded c(g.rows * g.columns);
  for (std::size_t i = 0; i < c.size(); ++i) c.data()[i] = static_cast<float>(i % 7);
  if (g.accumulate)
    for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += static_cast<double>(i % 7);
  table.gemm({.a = g.transposed ? transposed.data() : a.data(),
              .a_row_stride = g.transposed ? 1 : g.depth,
              .a_depth_stride = g.transposed ? g.rows : 1,
              .b = b.data(),
              .b_stride = g.columns,
              .c = c.data(),
              .c_stride = g.columns,
              .rows = g.rows,
              .columns = g.columns,
              .depth = g.depth,
              .accumulate = g.accumulate});
  expect_gradient(c, expected, "c", 2e-6);
}

TEST(Gemm, AgreesWithTheReference) {
  for (const KernelTable* table : all_tables())
    for (const bool transposed : {false, true})
      for (const bool accumulate : {false, true}) {
        for (std::size_t columns = 1; columns <= 50; ++columns)
          check_gemm(*table, {3, columns, 5, transposed, accumulate});
        for (const std::size_t rows : {1, 4, 7, 8, 13, 21})
          for (const std::size_t depth : {1, 127, 128, 129, 300})
            check_gemm(*table, {rows, 37, depth, transposed, accumulate});
      }
}

}  // namespace
}  // namespace pantanal::kernels
