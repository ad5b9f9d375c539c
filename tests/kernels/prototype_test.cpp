// The maximum of similarities over positions against its double reference.
#include "kernels/guarded.hpp"
#include "pantanal/kernels/reference.hpp"
#include "pantanal/ops/packed_matrix.hpp"

namespace pantanal::kernels {
namespace {

TEST(MaxSimilarity, AgreesWithTheReference) {
  for (const KernelTable* table : all_tables())
    for (const std::size_t rows : {1, 5, 8, 17, 64})
      for (const std::size_t columns : {1, 16, 20, 48, 80, 100}) {
        SCOPED_TRACE(testing::Message()
                     << to_string(table->isa) << " rows " << rows << " columns " << columns);
        constexpr std::size_t depth = 53;
        const std::vector<float> input = random_floats(rows * depth, 1),
                                 weight = random_floats(columns * depth, 2);
        const ops::PackedMatrix packed = ops::pack_matrix(*table, weight, {}, columns, depth);
        Guarded maxima(packed.padded_columns);
        table->max_similarity({.input = input.data(),
                               .input_stride = depth,
                               .weights = packed.weights.data(),
                               .maxima = maxima.data(),
                               .rows = rows,
                               .depth = depth,
                               .padded_columns = packed.padded_columns});
        const std::vector<double> expected =
            reference::max_similarity<float>(input, rows, weight, columns, depth);
        for (std::size_t n = 0; n < columns; ++n) ASSERT_NEAR(maxima[n], expected[n], 1e-5) << n;
      }
}

/// All similarities below zero: the maximum is not lifted to zero.
TEST(MaxSimilarity, KeepsNegativeMaxima) {
  const std::vector<float> input(8, 1.0f), weight{-1.0f, -2.0f};
  for (const KernelTable* table : all_tables()) {
    const ops::PackedMatrix packed = ops::pack_matrix(*table, weight, {}, 2, 1);
    std::vector<float> maxima(packed.padded_columns);
    table->max_similarity({.input = input.data(),
                           .input_stride = 1,
                           .weights = packed.weights.data(),
                           .maxima = maxima.data(),
                           .rows = input.size(),
                           .depth = 1,
                           .padded_columns = packed.padded_columns});
    EXPECT_EQ(maxima[0], -1.0f);
    EXPECT_EQ(maxima[1], -2.0f);
  }
}

}  // namespace
}  // namespace pantanal::kernels
