#include "pantanal/ops/packed_quads.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "kernels/guarded.hpp"

namespace pantanal::ops {
namespace {

/// Every value is where PackedMatrix has it, four depths to a word, whether packed at once or in pieces.
TEST(PackedQuads, LiesAsPackedMatrixDoes) {
  constexpr std::size_t columns = 150, depth = 7;
  std::vector<std::int8_t> values(columns * depth);
  std::vector<float> weight(values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    weight[i] = values[i] = static_cast<std::int8_t>(i % 255 - 127);
  const std::vector<float> bias(columns, 2.5f), scale(columns, 0.5f);
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    const PackedMatrix floats = pack_matrix(*table, weight, bias, columns, depth);
    PackedQuads quads = make_packed_quads(scale, bias, columns, depth);
    pack_quad_columns(*table, 0, 60, values, quads);
    pack_quad_columns(*table, 60, columns, values, quads);
    ASSERT_EQ(quads.padded_columns, floats.padded_columns);
    ASSERT_EQ(quads.words(), 2u);
    for (std::size_t n = 0; n < quads.padded_columns; ++n) {
      const std::size_t panel = n / table->panel_floats * table->panel_floats;
      const std::size_t width = std::min(table->panel_floats, quads.padded_columns - panel);
      for (std::size_t k = 0; k < 4 * quads.words(); ++k) {
        const std::uint32_t word = quads.weights[panel * 2 + k / 4 * width + n - panel];
        const float expected = k < depth ? floats.weights[panel * depth + k * width + n - panel] : 0.0f;
        ASSERT_EQ(static_cast<std::int8_t>(word >> (k % 4 * 8)), expected) << n << ", " << k;
      }
      ASSERT_EQ(quads.bias[n], floats.bias[n]);
      ASSERT_EQ(quads.scale[n], n < columns ? 0.5f : 0.0f);
    }
  }
}

}  // namespace
}  // namespace pantanal::ops
