// Packing puts every weight where the kernels look for it and zeros everywhere else.
#include "pantanal/ops/packed_matrix.hpp"

#include <gtest/gtest.h>

#include "kernels/guarded.hpp"

namespace pantanal::ops {
namespace {

TEST(PackMatrix, PlacesEveryWeightOnceAndPadsWithZeros) {
  for (const kernels::KernelTable* table : kernels::all_tables())
    for (const std::size_t columns : {1, 12, 16, 48, 49, 100}) {
      constexpr std::size_t depth = 3;
      std::vector<float> weight(columns * depth), bias(columns, 2.0f);
      for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = static_cast<float>(i + 1);
      const PackedMatrix packed = pack_matrix(*table, weight, bias, columns, depth);
      EXPECT_EQ(packed.padded_columns, round_up(columns, channel_padding));
      std::size_t zeros = 0;
      std::vector<int> seen(weight.size() + 1);
      for (const float w : packed.weights.span())
        w == 0 ? ++zeros : static_cast<std::size_t>(++seen[static_cast<std::size_t>(w)]);
      for (std::size_t i = 1; i < seen.size(); ++i) ASSERT_EQ(seen[i], 1) << i;
      EXPECT_EQ(zeros, (packed.padded_columns - columns) * depth);
      for (std::size_t n = 0; n < packed.padded_columns; ++n)
        ASSERT_EQ(packed.bias[n], n < columns ? 2.0f : 0.0f);
    }
}

TEST(PackMatrix, WithoutBiasIsZero) {
  const std::vector<float> weight(6, 1.0f);
  const PackedMatrix packed = pack_matrix(*kernels::all_tables().front(), weight, {}, 2, 3);
  for (const float b : packed.bias.span()) EXPECT_EQ(b, 0.0f);
}

TEST(RoundUp, GoesToTheNextMultiple) {
  EXPECT_EQ(round_up(0, 16), 0u);
  EXPECT_EQ(round_up(1, 16), 16u);
  EXPECT_EQ(round_up(16, 16), 16u);
  EXPECT_EQ(round_up(17, 12), 24u);
}

}  // namespace
}  // namespace pantanal::ops
