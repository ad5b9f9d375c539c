#include "pantanal/ops/packed_quads.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <span>
#include <utility>
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
    const std::span all(std::as_const(values));
    for (const auto& [begin, end] : {std::pair<std::size_t, std::size_t>{0, 60}, {60, columns}}) {
      pack_quad_columns(*table, begin, end, all.subspan(begin * depth, (end - begin) * depth), quads);
      add_offsets(begin, end, all.subspan(begin * depth, (end - begin) * depth), quads);
    }
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
      const auto first = values.begin() + static_cast<std::ptrdiff_t>(n * depth);
      ASSERT_EQ(quads.offset[n], n < columns ? -128 * std::accumulate(first, first + depth, 0) : 0);
      ASSERT_EQ(quads.scale[n], n < columns ? 0.5f : 0.0f);
    }
  }
}

}  // namespace
}  // namespace pantanal::ops
