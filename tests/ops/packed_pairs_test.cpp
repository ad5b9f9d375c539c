#include "pantanal/ops/packed_pairs.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "kernels/guarded.hpp"

namespace pantanal::ops {
namespace {

/// Every value is where PackedMatrix has it, two depths to a word, whether packed at once or in pieces.
TEST(PackedPairs, LiesAsPackedMatrixDoes) {
  constexpr std::size_t columns = 150, depth = 7;
  std::vector<float> weight(columns * depth);
  for (std::size_t i = 0; i < weight.size(); ++i)
    weight[i] = from_bfloat16(static_cast<std::uint16_t>(0x3f80 + i));
  const std::vector<float> bias(columns, 2.5f);
  const auto value = [&](std::size_t n, std::size_t k) { return to_bfloat16(weight[n * depth + k]); };
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    const PackedMatrix floats = pack_matrix(*table, weight, bias, columns, depth);
    PackedPairs pairs = make_packed_pairs(bias, columns, depth);
    pack_pair_columns(*table, 0, 60, value, pairs);
    pack_pair_columns(*table, 60, columns, value, pairs);
    ASSERT_EQ(pairs.padded_columns, floats.padded_columns);
    ASSERT_EQ(pairs.words(), 4u);
    for (std::size_t n = 0; n < pairs.padded_columns; ++n) {
      const std::size_t panel = n / table->panel_floats * table->panel_floats;
      const std::size_t width = std::min(table->panel_floats, pairs.padded_columns - panel);
      for (std::size_t k = 0; k < 2 * pairs.words(); ++k) {
        const std::uint32_t word = pairs.weights[panel * 4 + k / 2 * width + n - panel];
        const float expected = k < depth ? floats.weights[panel * depth + k * width + n - panel] : 0.0f;
        ASSERT_EQ(from_bfloat16(static_cast<std::uint16_t>(word >> (k % 2 * 16))), expected)
            << n << ", " << k;
      }
      ASSERT_EQ(pairs.bias[n], floats.bias[n]);
    }
  }
}

}  // namespace
}  // namespace pantanal::ops
