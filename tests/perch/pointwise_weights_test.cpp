#include "pantanal/perch/pointwise_weights.hpp"

#include <vector>

#include "kernels/guarded.hpp"

namespace pantanal::perch {
namespace {

/// More columns than are packed at once: every dtype gives what float32 of the rounded weights gives.
TEST(PointwiseWeights, PackInPiecesWhateverTheDtype) {
  constexpr std::size_t columns = 1000, depth = 19;
  const Tensor weight = make_tensor({columns, depth}, kernels::random_floats(columns * depth, 1));
  const std::vector<float> bias = kernels::random_floats(columns, 2), x = kernels::random_floats(depth, 3);
  for (const kernels::KernelTable* table : kernels::all_tables())
    for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f16, Dtype::i8}) {
      const Tensor rounded = convert_tensor(weight, dtype), widened = convert_tensor(rounded, Dtype::f32);
      const PointwiseWeights packed(*table, rounded, bias, columns, depth, Precision::fp32);
      const ops::PackedMatrix whole = ops::pack_matrix(*table, widened.values, bias, columns, depth);
      ASSERT_EQ(packed.padded_columns(), whole.padded_columns);
      ASSERT_EQ(packed.depth(), depth);
      std::vector<float> found(whole.padded_columns), expected(whole.padded_columns);
      kernels::PointwiseArgs args{
          .input = x.data(), .output = found.data(), .rows = 1, .padded_columns = whole.padded_columns};
      packed.run(args);
      args.output = expected.data(), args.weights = whole.weights.data(), args.bias = whole.bias.data();
      args.depth = depth;
      table->pointwise(args);
      EXPECT_EQ(found, expected) << to_string(table->isa) << ", " << to_string(dtype);
      const std::vector<float> scale = kernels::random_floats(depth, 4);
      std::vector<float> scaled(packed.scaled_size()), scaled_whole(whole.weights.size());
      packed.scale(scale.data(), scaled.data());
      table->scale_packed_rows(whole.weights.data(), scaled_whole.data(), depth, whole.padded_columns,
                               scale.data());
      EXPECT_EQ(scaled, scaled_whole) << to_string(table->isa) << ", " << to_string(dtype);
    }
}

}  // namespace
}  // namespace pantanal::perch
