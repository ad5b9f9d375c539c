// Scaling, means and normalisation over rows of channels, for any number of columns.
#include <cmath>

#include "kernels/guarded.hpp"
#include "pantanal/ops/packed_matrix.hpp"

namespace pantanal::kernels {
namespace {

constexpr std::size_t row_count = 5, stride = 103;
constexpr std::size_t widths[] = {1, 3, 4, 8, 15, 16, 17, 64, 100};

TEST(Columns, ScaleColumnsMultipliesEachColumn) {
  const std::vector<float> data = random_floats(row_count * stride, 1), scale = random_floats(stride, 2);
  for (const KernelTable* table : all_tables())
    for (const std::size_t columns : widths) {
      std::vector<float> found = data;
      table->scale_columns(found.data(), row_count, stride, columns, scale.data());
      for (std::size_t i = 0; i < data.size(); ++i)
        ASSERT_EQ(found[i], i % stride < columns ? data[i] * scale[i % stride] : data[i])
            << columns << " at " << i;
    }
}

TEST(Columns, ScalePackedRowsEqualsPackingScaledWeights) {
  constexpr std::size_t depth = 7;
  for (const KernelTable* table : all_tables())
    for (const std::size_t columns : widths) {
      std::vector<float> weight = random_floats(columns * depth, 1);
      const std::vector<float> scale = random_floats(depth, 2);
      const ops::PackedMatrix packed = ops::pack_matrix(*table, weight, {}, columns, depth);
      Guarded found(packed.weights.size());
      table->scale_packed_rows(packed.weights.data(), found.data(), depth, packed.padded_columns,
                               scale.data());
      for (std::size_t i = 0; i < weight.size(); ++i) weight[i] *= scale[i % depth];
      const ops::PackedMatrix expected = ops::pack_matrix(*table, weight, {}, columns, depth);
      for (std::size_t i = 0; i < expected.weights.size(); ++i)
        ASSERT_EQ(found[i], expected.weights[i])
            << to_string(table->isa) << " columns " << columns << " at " << i;
    }
}

TEST(Columns, MeanRowsAveragesEachColumn) {
  const std::vector<float> data = random_floats(row_count * stride, 1);
  for (const KernelTable* table : all_tables())
    for (const std::size_t columns : widths) {
      Guarded mean(columns);
      table->mean_rows(data.data(), row_count, stride, columns, 20.0f, mean.data());
      for (std::size_t c = 0; c < columns; ++c) {
        double sum = 0;
        for (std::size_t r = 0; r < row_count; ++r) sum += double{data[r * stride + c]};
        ASSERT_NEAR(mean[c], sum / 20, 1e-7);
      }
    }
}

TEST(Columns, NormalizeRowsDividesByTheNormPlusEps) {
  const std::vector<float> data = random_floats(row_count * stride, 1);
  constexpr float eps = 0.25f;
  for (const KernelTable* table : all_tables())
    for (const std::size_t columns : widths) {
      Guarded found((row_count - 1) * stride + columns);
      table->normalize_rows(data.data(), row_count, stride, columns, eps, found.data(), stride);
      for (std::size_t r = 0; r < row_count; ++r) {
        double squares = 0;
        for (std::size_t c = 0; c < columns; ++c) squares += std::pow(double{data[r * stride + c]}, 2);
        for (std::size_t c = 0; c < columns; ++c)
          ASSERT_NEAR(found[r * stride + c],
                      double{data[r * stride + c]} / (std::sqrt(squares) + double{eps}), 1e-6);
      }
    }
}

TEST(Columns, NormalizeRowsGivesUnitLengthWhereTheNormOverflows) {
  for (const KernelTable* table : all_tables())
    for (const std::size_t columns : widths)
      for (const float size : {1e18f, 3e19f, 1e25f, 3e37f}) {
        std::vector<float> data = random_floats(columns, 1);
        for (float& v : data) v *= size;
        Guarded found(columns);
        table->normalize_rows(data.data(), 1, columns, columns, 1e-5f, found.data(), columns);
        double squares = 0;
        for (const float v : data) squares += double{v} * double{v};
        for (std::size_t c = 0; c < columns; ++c)
          ASSERT_NEAR(found[c], double{data[c]} / std::sqrt(squares), 1e-6)
              << to_string(table->isa) << " " << columns << " x " << size;
      }
}

TEST(Columns, NormalizeRowsKeepsZeroZero) {
  const std::vector<float> zeros(32);
  for (const KernelTable* table : all_tables()) {
    Guarded found(32);
    table->normalize_rows(zeros.data(), 1, 32, 32, 1e-5f, found.data(), 32);
    for (std::size_t c = 0; c < 32; ++c) ASSERT_EQ(found[c], 0.0f);
  }
}

}  // namespace
}  // namespace pantanal::kernels
