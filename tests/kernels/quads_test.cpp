// Products with weights in int8, widened on the way, against their double references and against float32
// weights, whose bits they give.
#include <cmath>

#include "kernels/guarded.hpp"
#include "kernels/pointwise_case.hpp"
#include "pantanal/core/tensor.hpp"
#include "pantanal/kernels/reference.hpp"
#include "pantanal/ops/packed_matrix.hpp"
#include "pantanal/ops/packed_quads.hpp"

namespace pantanal::kernels {
namespace {

std::vector<PointwiseCase> quad_cases() {
  std::vector<PointwiseCase> all;
  for (const std::size_t rows : {1, 7, 8, 21})
    for (const std::size_t columns : {1, 16, 17, 33, 48, 50, 136}) all.push_back({rows, 24, columns});
  for (const std::size_t depth : {1, 2, 3, 4, 5, 333}) all.push_back({13, depth, 40});
  for (const Activation act : {Activation::relu, Activation::swish, Activation::sigmoid})
    all.push_back({11, 33, 56, act}), all.push_back({11, 34, 56, act, true});
  return all;
}

/// Weights [columns, depth] in int8, their values, and both packed.
struct QuadWeight {
  QuadWeight(const KernelTable& table, std::size_t columns, std::size_t depth, std::span<const float> bias)
      : tensor(quantize_tensor(
            make_tensor({static_cast<std::int64_t>(columns), static_cast<std::int64_t>(depth)},
                        random_floats(columns * depth, 2)))),
        wide(convert_tensor(tensor, Dtype::f32)),
        quads(ops::make_packed_quads(tensor.scales, bias, columns, depth)),
        floats(ops::pack_matrix(table, wide.values, bias, columns, depth)) {
    ops::pack_quad_columns(table, 0, columns, tensor.quanta, quads);
  }
  QuadsArgs packed() const { return {quads.weights.data(), quads.scale.data()}; }

  Tensor tensor, wide;
  ops::PackedQuads quads;
  ops::PackedMatrix floats;
};

void check_quads(const KernelTable& table, const PointwiseCase& c) {
  const std::vector<float> input = random_floats(c.rows * c.depth, 1), bias = random_floats(c.columns, 3);
  const QuadWeight weight(table, c.columns, c.depth, bias);
  const std::size_t stride = weight.quads.padded_columns;
  const std::vector<float> residual = random_floats(c.rows * stride, 4);
  Guarded found(c.rows * stride), same(c.rows * stride);
  PointwiseArgs args = pointwise_args(c, weight.quads.bias.data(), stride, residual);
  args.input = input.data(), args.input_stride = c.depth, args.output = found.data();
  table.pointwise_quads(args, weight.packed());
  args.output = same.data(), args.weights = weight.floats.weights.data();
  table.pointwise(args);
  for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], same[i]) << i;
  const std::vector<double> expected =
      reference::pointwise<float>(input, c.rows, weight.wide.values, bias, c.columns, c.depth, c.activation);
  const double tolerance = 1e-6 * (4 + static_cast<double>(c.depth) / 4);
  for (std::size_t r = 0; r < c.rows; ++r)
    for (std::size_t n = 0; n < c.columns; ++n)
      ASSERT_NEAR(found[r * stride + n],
                  expected[r * c.columns + n] + (c.residual ? double{residual[r * stride + n]} : 0.0),
                  tolerance)
          << "row " << r << ", column " << n;
}

TEST(PointwiseQuads, AgreesWithTheReferenceAndEqualsFloat32) {
  for (const KernelTable* table : all_tables())
    for (const PointwiseCase& c : quad_cases()) {
      SCOPED_TRACE(testing::Message() << to_string(table->isa) << ", " << c);
      check_quads(*table, c);
    }
}

TEST(MaxSimilarityQuads, AgreesWithTheReferenceAndEqualsFloat32) {
  constexpr std::size_t depth = 53;
  for (const KernelTable* table : all_tables())
    for (const std::size_t rows : {1, 5, 17, 64})
      for (const std::size_t columns : {1, 20, 48, 100}) {
        SCOPED_TRACE(testing::Message()
                     << to_string(table->isa) << " rows " << rows << " columns " << columns);
        const std::vector<float> input = random_floats(rows * depth, 1);
        const QuadWeight weight(*table, columns, depth, {});
        Guarded found(weight.quads.padded_columns), same(weight.quads.padded_columns);
        MaxSimilarityArgs args{.input = input.data(),
                               .input_stride = depth,
                               .maxima = found.data(),
                               .rows = rows,
                               .depth = depth,
                               .padded_columns = weight.quads.padded_columns};
        table->max_similarity_quads(args, weight.packed());
        args.maxima = same.data(), args.weights = weight.floats.weights.data();
        table->max_similarity(args);
        const std::vector<double> expected =
            reference::max_similarity<float>(input, rows, weight.wide.values, columns, depth);
        for (std::size_t n = 0; n < columns; ++n) {
          ASSERT_NEAR(found[n], expected[n], 2e-5) << n;
          ASSERT_EQ(found[n], same[n]) << n;
        }
      }
}

TEST(ScaleQuads, MultipliesEachDepth) {
  constexpr std::size_t depth = 9, columns = 70;
  const std::vector<float> scale = random_floats(depth, 2);
  for (const KernelTable* table : all_tables()) {
    const QuadWeight weight(*table, columns, depth, {});
    Guarded found(weight.floats.weights.size()), expected(weight.floats.weights.size());
    table->scale_quads(weight.packed(), found.data(), depth, weight.quads.padded_columns, scale.data());
    table->scale_packed_rows(weight.floats.weights.data(), expected.data(), depth,
                             weight.quads.padded_columns, scale.data());
    for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], expected[i]) << i;
  }
}

}  // namespace
}  // namespace pantanal::kernels
