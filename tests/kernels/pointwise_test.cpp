// The 1x1 convolution of every instruction set against its double reference, tails and strides included.
#include <cmath>
#include <limits>

#include "kernels/guarded.hpp"
#include "kernels/pointwise_case.hpp"
#include "pantanal/kernels/reference.hpp"
#include "pantanal/ops/packed_matrix.hpp"

namespace pantanal::kernels {
namespace {

std::vector<PointwiseCase> pointwise_cases() {
  std::vector<PointwiseCase> all;
  for (const std::size_t rows : {1, 3, 4, 7, 8, 9, 21})
    for (const std::size_t columns : {1, 12, 16, 17, 33, 48, 50, 96, 136}) all.push_back({rows, 24, columns});
  for (const std::size_t depth : {1, 2, 9, 40, 333}) all.push_back({13, depth, 40});
  for (const Activation act : {Activation::relu, Activation::swish, Activation::sigmoid})
    all.push_back({11, 32, 56, act}), all.push_back({11, 32, 56, act, true});
  all.push_back({12, 16, 48, Activation::swish, false, 4});
  all.push_back({10, 16, 40, Activation::relu, false, 3});
  return all;
}

void check_pointwise(const KernelTable& table, const PointwiseCase& c) {
  const std::vector<float> input = random_floats(c.rows * c.depth, 1),
                           weight = random_floats(c.columns * c.depth, 2), bias = random_floats(c.columns, 3);
  const ops::PackedMatrix packed = ops::pack_matrix(table, weight, bias, c.columns, c.depth);
  const std::vector<float> residual = random_floats(c.rows * packed.padded_columns, 4);
  PointwiseArgs args = pointwise_args(c, packed.bias.data(), packed.padded_columns, residual);
  Guarded output(output_size(args));
  args.input = input.data(), args.input_stride = c.depth;
  args.weights = packed.weights.data(), args.output = output.data();
  table.pointwise(args);
  const std::vector<double> expected =
      reference::pointwise<float>(input, c.rows, weight, bias, c.columns, c.depth, c.activation);
  const double tolerance = 1e-6 * (4 + static_cast<double>(c.depth) / 4);  // rounding of sums of order √depth
  for (std::size_t r = 0; r < c.rows; ++r)
    for (std::size_t n = 0; n < c.columns; ++n) {
      const double added = c.residual ? double{residual[r * args.residual_stride + n]} : 0.0;
      ASSERT_NEAR(output[output_begin(args, r) + n], expected[r * c.columns + n] + added, tolerance)
          << "row " << r << ", column " << n;
    }
}

TEST(Pointwise, AgreesWithTheReference) {
  for (const KernelTable* table : all_tables())
    for (const PointwiseCase& c : pointwise_cases()) {
      SCOPED_TRACE(testing::Message() << to_string(table->isa) << ", " << c);
      check_pointwise(*table, c);
    }
}

/// Every row's result is the same bits whichever tile it falls into, so that work may be cut anywhere.
TEST(Pointwise, DoesNotDependOnHowRowsAreCut) {
  constexpr std::size_t rows = 29, depth = 77, columns = 64;
  const std::vector<float> input = random_floats(rows * depth, 1), weight = random_floats(columns * depth, 2);
  for (const KernelTable* table : all_tables()) {
    const ops::PackedMatrix packed = ops::pack_matrix(*table, weight, {}, columns, depth);
    const auto run = [&](std::size_t begin, std::size_t end, std::vector<float>& output) {
      table->pointwise({.input = input.data() + begin * depth,
                        .input_stride = depth,
                        .weights = packed.weights.data(),
                        .bias = packed.bias.data(),
                        .output = output.data() + begin * columns,
                        .output_stride = columns,
                        .rows = end - begin,
                        .depth = depth,
                        .padded_columns = columns,
                        .activation = Activation::swish});
    };
    std::vector<float> whole(rows * columns), cut(rows * columns);
    run(0, rows, whole);
    run(0, 5, cut), run(5, 6, cut), run(6, 20, cut), run(20, rows, cut);
    EXPECT_EQ(whole, cut) << to_string(table->isa);
  }
}

/// act(x), as the convolution of one channel by 1 has it.
std::vector<float> activated(const KernelTable& table, const std::vector<float>& x, Activation act) {
  const std::vector<float> one{1.0f};
  const ops::PackedMatrix packed = ops::pack_matrix(table, one, {}, 1, 1);
  std::vector<float> output(x.size() * packed.padded_columns), y;
  table.pointwise({.input = x.data(),
                   .input_stride = 1,
                   .weights = packed.weights.data(),
                   .bias = packed.bias.data(),
                   .output = output.data(),
                   .output_stride = packed.padded_columns,
                   .rows = x.size(),
                   .depth = 1,
                   .padded_columns = packed.padded_columns,
                   .activation = act});
  for (std::size_t i = 0; i < x.size(); ++i) y.push_back(output[i * packed.padded_columns]);
  return y;
}

/// So that an overflow within a network is seen where its outputs are checked.
TEST(Pointwise, NaNStaysNaNInItsRow) {
  const std::vector<float> x{1, std::numeric_limits<float>::quiet_NaN(), -1};
  for (const KernelTable* table : all_tables()) {
    for (const Activation act :
         {Activation::none, Activation::relu, Activation::sigmoid, Activation::swish}) {
      const std::vector<float> y = activated(*table, x, act);
      for (std::size_t i = 0; i < x.size(); ++i)
        ASSERT_EQ(std::isnan(y[i]), i == 1)
            << to_string(table->isa) << ", activation " << static_cast<int>(act);
    }
  }
}

/// σ and x·σ over the whole range, saturating: the inputs of squeeze-and-excite gates reach ±800.
TEST(Pointwise, ActivationsSaturateAndNeverOverflow) {
  std::vector<float> x;
  for (double v = -1000; v <= 1000; v += v > -20 && v < 20 ? 0.00373 : 0.71)
    x.push_back(static_cast<float>(v));
  x.insert(x.end(), {-3e38f, 3e38f, 0.0f, -0.0f, 1e-30f});
  for (const KernelTable* table : all_tables()) {
    for (const Activation act : {Activation::sigmoid, Activation::swish}) {
      SCOPED_TRACE(to_string(table->isa));
      const std::vector<float> y = activated(*table, x, act);
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double expected = reference::activate(act, double{x[i]});
        ASSERT_NEAR(y[i], expected, 4e-7 * std::abs(expected) + 1e-30) << "x = " << x[i];
      }
    }
  }
}

}  // namespace
}  // namespace pantanal::kernels
