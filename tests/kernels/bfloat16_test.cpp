// Products with weights in bfloat16, widened or multiplied as they are, against their double references.
#include <bit>
#include <cmath>

#include "kernels/coarse_activations.hpp"
#include "kernels/guarded.hpp"
#include "kernels/pointwise_case.hpp"
#include "pantanal/kernels/reference.hpp"
#include "pantanal/ops/packed_matrix.hpp"
#include "pantanal/ops/packed_pairs.hpp"

namespace pantanal::kernels {
namespace {

std::vector<PointwiseCase> pair_cases() {
  std::vector<PointwiseCase> all;
  for (const std::size_t rows : {1, 4, 7, 8, 21})
    for (const std::size_t columns : {1, 16, 17, 33, 48, 50, 96, 136}) all.push_back({rows, 24, columns});
  for (const std::size_t depth : {1, 2, 9, 40, 333}) all.push_back({13, depth, 40});
  for (const Activation act : {Activation::relu, Activation::swish})
    all.push_back({11, 32, 56, act}), all.push_back({11, 32, 56, act, true});
  all.push_back({12, 16, 48, Activation::swish, false, 4});
  all.push_back({10, 16, 40, Activation::relu, false, 3});
  return all;
}

std::vector<float> rounded_floats(std::size_t size, unsigned seed, float scale = 1) {
  std::vector<float> values = random_floats(size, seed, scale);
  for (float& v : values) v = from_bfloat16(to_bfloat16(v));
  return values;
}

ops::PackedPairs pack_pairs(const KernelTable& table, const std::vector<float>& weight,
                            std::span<const float> bias, std::size_t columns, std::size_t depth) {
  ops::PackedPairs packed = ops::make_packed_pairs(bias, columns, depth);
  const auto value = [&](std::size_t n, std::size_t k) { return to_bfloat16(weight[n * depth + k]); };
  ops::pack_pair_columns(table, 0, columns, value, packed);
  return packed;
}

/// Rows of `depth` floats as words, the odd one out beside a zero.
std::vector<std::uint32_t> words_of(const std::vector<float>& x, std::size_t depth) {
  const std::size_t words = (depth + 1) / 2, rows = x.size() / depth;
  std::vector<std::uint32_t> all(rows * words);
  for (std::size_t i = 0; i < x.size(); ++i)
    all[i / depth * words + i % depth / 2] |= std::uint32_t{to_bfloat16(x[i])} << (i % depth % 2 * 16);
  return all;
}

/// Runs both kinds on one case; where there are no bfloat16 products, the widening one alone.
void check_pairs(const KernelTable& table, const PointwiseCase& c) {
  const std::vector<float> input = rounded_floats(c.rows * c.depth, 1),
                           weight = rounded_floats(c.columns * c.depth, 2),
                           bias = random_floats(c.columns, 3);
  const ops::PackedPairs packed = pack_pairs(table, weight, bias, c.columns, c.depth);
  const ops::PackedMatrix floats = ops::pack_matrix(table, weight, bias, c.columns, c.depth);
  const std::vector<float> residual = random_floats(c.rows * packed.padded_columns, 4);
  PointwiseArgs args = pointwise_args(c, packed.bias.data(), packed.padded_columns, residual);
  const std::size_t size = output_size(args);
  Guarded widened(size), multiplied(size), same(size);
  args.input = input.data(), args.input_stride = c.depth;
  args.output = same.data(), args.weights = floats.weights.data();
  table.pointwise(args);
  args.output = widened.data(), args.weights = nullptr;
  table.pointwise_pairs(args, packed.weights.data());
  const Bfloat16Table* bfloat16 = bfloat16_table(table.isa);
  const std::vector<std::uint32_t> words = words_of(input, c.depth);
  args.output = multiplied.data(), args.input = nullptr;
  if (bfloat16) bfloat16->pointwise(args, {words.data(), (c.depth + 1) / 2, packed.weights.data()});
  const std::vector<double> expected =
      reference::pointwise<float>(input, c.rows, weight, bias, c.columns, c.depth, c.activation);
  const double tolerance = 1e-6 * (4 + static_cast<double>(c.depth) / 4);
  for (std::size_t r = 0; r < c.rows; ++r)
    for (std::size_t n = 0; n < c.columns; ++n) {
      const std::size_t at = output_begin(args, r) + n;
      const double y = expected[r * c.columns + n];
      const double added = c.residual ? double{residual[r * args.residual_stride + n]} : 0.0;
      ASSERT_EQ(widened[at], same[at]) << "row " << r << ", column " << n;
      ASSERT_NEAR(widened[at], y + added, tolerance) << "row " << r << ", column " << n;
      const double coarse = c.activation == Activation::swish ? std::abs(y) * 0x1p-12 : 0;
      if (!bfloat16) continue;
      ASSERT_NEAR(multiplied[at], y + added, tolerance + coarse) << "row " << r << ", column " << n;
    }
}

TEST(Bfloat16Pointwise, AgreesWithTheReference) {
  for (const KernelTable* table : all_tables())
    for (const PointwiseCase& c : pair_cases()) {
      SCOPED_TRACE(testing::Message() << to_string(table->isa) << ", " << c);
      check_pairs(*table, c);
    }
}

TEST(Bfloat16MaxSimilarity, AgreesWithTheReference) {
  for (const KernelTable* table : all_tables())
    for (const std::size_t rows : {1, 5, 17, 64})
      for (const std::size_t columns : {1, 20, 48, 80, 100}) {
        SCOPED_TRACE(testing::Message()
                     << to_string(table->isa) << " rows " << rows << " columns " << columns);
        constexpr std::size_t depth = 53;
        const std::vector<float> input = rounded_floats(rows * depth, 1),
                                 weight = rounded_floats(columns * depth, 2);
        const ops::PackedPairs packed = pack_pairs(*table, weight, {}, columns, depth);
        const std::vector<std::uint32_t> words = words_of(input, depth);
        Guarded widened(packed.padded_columns), multiplied(packed.padded_columns);
        MaxSimilarityArgs args{.input = input.data(),
                               .input_stride = depth,
                               .maxima = widened.data(),
                               .rows = rows,
                               .depth = depth,
                               .padded_columns = packed.padded_columns};
        table->max_similarity_pairs(args, packed.weights.data());
        args.maxima = multiplied.data(), args.input = nullptr;
        const Bfloat16Table* bfloat16 = bfloat16_table(table->isa);
        if (bfloat16) bfloat16->max_similarity(args, {words.data(), (depth + 1) / 2, packed.weights.data()});
        const std::vector<double> expected =
            reference::max_similarity<float>(input, rows, weight, columns, depth);
        for (std::size_t n = 0; n < columns; ++n) {
          ASSERT_NEAR(widened[n], expected[n], 1e-5) << n;
          ASSERT_NEAR(bfloat16 ? double{multiplied[n]} : expected[n], expected[n], 1e-5) << n;
        }
      }
}

TEST(ScalePairs, MultipliesEachDepth) {
  constexpr std::size_t depth = 9, columns = 70;
  const std::vector<float> weight = rounded_floats(columns * depth, 1), scale = random_floats(depth, 2);
  for (const KernelTable* table : all_tables()) {
    const ops::PackedPairs pairs = pack_pairs(*table, weight, {}, columns, depth);
    const ops::PackedMatrix floats = ops::pack_matrix(*table, weight, {}, columns, depth);
    Guarded found(floats.weights.size()), expected(floats.weights.size());
    table->scale_pairs(pairs.weights.data(), found.data(), depth, pairs.padded_columns, scale.data());
    table->scale_packed_rows(floats.weights.data(), expected.data(), depth, floats.padded_columns,
                             scale.data());
    for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], expected[i]) << i;
  }
}

TEST(RoundRows, RoundsToNearestInPlaceOrElsewhere) {
  constexpr std::size_t rows = 3, columns = 80;
  const std::vector<float> data = random_floats(rows * columns, 1), scale = random_floats(columns, 2);
  for (const KernelTable* table : all_tables()) {
    const Bfloat16Table* bfloat16 = bfloat16_table(table->isa);
    if (!bfloat16) continue;
    for (const bool scaled : {false, true}) {
      std::vector<std::uint32_t> words(rows * columns / 2);
      bfloat16->round_rows(data.data(), rows, columns, columns, scaled ? scale.data() : nullptr, words.data(),
                           columns / 2);
      std::vector<float> in_place = data;
      auto* const place = reinterpret_cast<std::uint32_t*>(in_place.data());
      bfloat16->round_rows(in_place.data(), rows, columns, columns, scaled ? scale.data() : nullptr, place,
                           columns);
      for (std::size_t i = 0; i < data.size(); ++i) {
        const float x = scaled ? data[i] * scale[i % columns] : data[i];
        const std::size_t r = i / columns, c = i % columns;
        const auto half = [&](std::uint32_t word) {
          return static_cast<std::uint16_t>(word >> (c % 2 * 16));
        };
        ASSERT_EQ(half(words[r * columns / 2 + c / 2]), to_bfloat16(x)) << i;
        ASSERT_EQ(half(std::bit_cast<std::uint32_t>(in_place[r * columns + c / 2])), to_bfloat16(x)) << i;
      }
    }
  }
}

TEST(Bfloat16Depthwise, DiffersByItsActivationAlone) {
  for (const KernelTable* table : all_tables())
    if (const Bfloat16Table* bfloat16 = bfloat16_table(table->isa))
      check_coarse_depthwise(*table, bfloat16->depthwise);
}

/// 2^-12 over the whole range; beyond it swish is x or nearly nothing.
TEST(Bfloat16Pointwise, SwishIsGoodTo12BitsAndSaturates) {
  const std::vector<float> bias = swish_inputs();
  const std::uint32_t input = 0;
  for (const KernelTable* table : all_tables()) {
    const Bfloat16Table* bfloat16 = bfloat16_table(table->isa);
    if (!bfloat16) continue;
    const ops::PackedPairs packed = ops::make_packed_pairs(bias, bias.size(), 2);
    std::vector<float> y(packed.padded_columns);
    bfloat16->pointwise({.bias = packed.bias.data(),
                         .output = y.data(),
                         .rows = 1,
                         .depth = 2,
                         .padded_columns = packed.padded_columns,
                         .activation = Activation::swish},
                        {&input, 1, packed.weights.data()});
    check_coarse_swish(bias, y);
  }
}

}  // namespace
}  // namespace pantanal::kernels
