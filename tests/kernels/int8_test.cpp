// Rounding to 8 bits and products of bytes against integer and double references.
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/coarse_activations.hpp"
#include "kernels/guarded.hpp"
#include "kernels/pointwise_case.hpp"
#include "pantanal/kernels/reference.hpp"
#include "pantanal/ops/packed_quads.hpp"

namespace pantanal::kernels {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

/// The bytes' kernels of this CPU, none or one.
std::vector<const KernelTable*> int8_tables() {
  std::vector<const KernelTable*> tables = all_tables();
  std::erase_if(tables, [](const KernelTable* table) { return !int8_table(table->isa); });
  return tables;
}

/// Value k of a row that `table` rounded, without its scale: from -128 to 127.
int value_of(const Int8Table& table, const std::uint32_t* row, std::size_t k) {
  const auto byte = static_cast<int>(row[1 + k / 4] >> (k % 4 * 8) & 255);
  return static_cast<std::int8_t>(byte - table.zero_point);
}

/// A rounded row of `values` from -128 to 127.
std::vector<std::uint32_t> row_of(const Int8Table& table, const std::vector<int>& values, float scale) {
  std::vector<std::uint32_t> row(1 + (values.size() + 3) / 4, 0x5a5a5a5a);  // the last bytes: anything
  row[0] = std::bit_cast<std::uint32_t>(scale);
  for (std::size_t k = 0; k < values.size(); ++k) {
    const auto shift = static_cast<int>(k % 4 * 8);
    row[1 + k / 4] &= ~(255u << shift);
    row[1 + k / 4] |= static_cast<std::uint32_t>((values[k] + table.zero_point) & 255) << shift;
  }
  return row;
}

/// Pseudo-random whole numbers from -127 to 127.
std::vector<int> whole_numbers(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<int> values(size);
  for (int& v : values) v = static_cast<int>(random() % 255) - 127;
  return values;
}

ops::PackedQuads pack_bytes(const KernelTable& table, const std::vector<int>& weight,
                            const std::vector<float>& scale, const std::vector<float>& bias,
                            std::size_t columns, std::size_t depth) {
  const std::vector<std::int8_t> bytes(weight.begin(), weight.end());
  ops::PackedQuads packed = ops::make_packed_quads(scale, bias, columns, depth);
  ops::pack_quad_columns(table, 0, columns, bytes, packed);
  ops::add_offsets(0, columns, bytes, packed);
  return packed;
}

BytesArgs bytes_of(const std::vector<std::uint32_t>& input, std::size_t stride,
                   const ops::PackedQuads& packed) {
  return {input.data(), stride, {packed.weights.data(), packed.scale.data()}, packed.offset.data()};
}

/// The kernel on one case; returns its arguments.
PointwiseArgs run_bytes(const KernelTable& table, const PointwiseCase& c,
                        const std::vector<std::uint32_t>& input, const ops::PackedQuads& packed,
                        float* output, const std::vector<float>& residual = {}) {
  PointwiseArgs args = pointwise_args(c, packed.bias.data(), packed.padded_columns, residual);
  args.output = output;
  int8_table(table.isa)->pointwise(args, bytes_of(input, input.size() / c.rows, packed));
  return args;
}

/// Rounds `data`, one row or several, and checks what lies between and behind the rows.
std::vector<std::uint32_t> round(const Int8Table& table, const std::vector<float>& data, std::size_t columns,
                                 const float* scale = nullptr) {
  constexpr std::uint32_t sentinel = 0xdeadbeef;
  const std::size_t rows = data.size() / columns, words = 1 + columns / 4, stride = words + 3;
  std::vector<std::uint32_t> rounded(rows * stride + 16, sentinel);
  table.round_rows(data.data(), rows, columns, columns, scale, rounded.data(), stride);
  for (std::size_t i = 0; i < rounded.size(); ++i) {
    const bool outside = i >= rows * stride || i % stride >= words;
    EXPECT_EQ(rounded[i] == sentinel, outside) << "word " << i;
  }
  std::vector<std::uint32_t> dense;
  for (std::size_t r = 0; r < rows; ++r)
    dense.insert(dense.end(), rounded.begin() + static_cast<std::ptrdiff_t>(r * stride),
                 rounded.begin() + static_cast<std::ptrdiff_t>(r * stride + words));
  return dense;
}

TEST(Int8RoundRows, RoundsToTheNearestMultiple) {
  for (const KernelTable* table : int8_tables())
    for (const std::size_t columns : {16, 80, 304})
      for (const float size : {1.0f, 1e-30f, 3e37f})
        for (const bool scaled : {false, true}) {
          constexpr std::size_t rows = 5;
          std::vector<float> data = random_floats(rows * columns, 1, size),
                             scale = random_floats(columns, 2, 0.3f);
          data[3] = -8 * size;  // the largest of its row, below zero
          const float* const factors = scaled ? scale.data() : nullptr;
          const Int8Table& bytes = *int8_table(table->isa);
          const std::vector<std::uint32_t> words = round(bytes, data, columns, factors);
          for (std::size_t r = 0; r < rows; ++r) {
            const std::uint32_t* row = words.data() + r * (1 + columns / 4);
            std::vector<float> x(columns);
            float most = 0;
            for (std::size_t c = 0; c < columns; ++c) {
              x[c] = data[r * columns + c] * (scaled ? scale[c] : 1.0f);
              most = std::max(most, std::abs(x[c]));
            }
            const float step = std::bit_cast<float>(row[0]);
            ASSERT_EQ(step, most / 127);
            const double inverse = 127 / most;
            for (std::size_t c = 0; c < columns; ++c) {
              ASSERT_EQ(value_of(bytes, row, c), std::nearbyint(x[c] * inverse)) << r << ", " << c;
              ASSERT_LE(std::abs(value_of(bytes, row, c) * double{step} - x[c]), 0.5001 * step);
            }
          }
        }
}

TEST(Int8RoundRows, KnowsRowsThatHaveNoUsualScale) {
  constexpr std::size_t columns = 48;
  for (const KernelTable* table : int8_tables()) {
    const Int8Table& bytes = *int8_table(table->isa);
    const auto row_with = [&](float value, float others, const float* scale = nullptr) {
      std::vector<float> data(columns, others);
      data[37] = value;
      return round(bytes, data, columns, scale);
    };
    for (const float tiny : {0.0f, -0.0f, 1e-45f, -1e-40f, 0x1.8p-120f}) {
      const std::vector<std::uint32_t> row = row_with(tiny, 0);
      EXPECT_EQ(row[0], 0u) << tiny;
      for (std::size_t k = 0; k < columns; ++k) ASSERT_EQ(value_of(bytes, row.data(), k), 0) << tiny;
    }
    EXPECT_EQ(value_of(bytes, row_with(-0x1p-119f, 0).data(), 37), -127);
    const std::vector<std::uint32_t> huge = row_with(-3.4028235e38f, 3.4028235e38f);
    EXPECT_EQ(std::bit_cast<float>(huge[0]), 3.4028235e38f / 127);
    EXPECT_EQ(value_of(bytes, huge.data(), 37), -127);
    EXPECT_EQ(value_of(bytes, huge.data(), 36), 127);
    for (const float bad : {infinity, -infinity, not_a_number, -not_a_number})
      for (const float others : {0.0f, 1.0f, infinity})
        EXPECT_TRUE(std::isnan(std::bit_cast<float>(row_with(bad, others)[0]))) << bad << ", " << others;
    const std::vector<float> large(columns, 1e30f), bad_scale(columns, not_a_number);
    EXPECT_TRUE(std::isnan(std::bit_cast<float>(row_with(1e30f, 1, large.data())[0])));
    EXPECT_TRUE(std::isnan(std::bit_cast<float>(row_with(1, 1, bad_scale.data())[0])));
  }
}

std::vector<PointwiseCase> byte_cases() {
  std::vector<PointwiseCase> all;
  for (const std::size_t rows : {1, 4, 7, 8, 21})
    for (const std::size_t columns : {1, 16, 17, 33, 48, 50, 96, 136}) all.push_back({rows, 24, columns});
  for (const std::size_t depth : {1, 2, 3, 4, 5, 9, 333, 2304}) all.push_back({13, depth, 40});
  for (const Activation act : {Activation::relu, Activation::swish})
    all.push_back({11, 33, 56, act}), all.push_back({11, 34, 56, act, true});
  all.push_back({12, 16, 48, Activation::swish, false, 4});
  all.push_back({10, 16, 40, Activation::relu, true, 3});
  return all;
}

void check_bytes(const KernelTable& table, const PointwiseCase& c) {
  const std::vector<int> x = whole_numbers(c.rows * c.depth, 1),
                         weight = whole_numbers(c.columns * c.depth, 2);
  std::vector<float> x_scale = random_floats(c.rows, 3, 0.02f), scale = random_floats(c.columns, 4, 0.02f);
  const std::vector<float> bias = random_floats(c.columns, 5);
  std::vector<std::uint32_t> input;
  for (std::size_t r = 0; r < c.rows; ++r) {
    const auto first = x.begin() + static_cast<std::ptrdiff_t>(r * c.depth);
    const std::vector<std::uint32_t> row =
        row_of(*int8_table(table.isa), {first, first + static_cast<std::ptrdiff_t>(c.depth)}, x_scale[r]);
    input.insert(input.end(), row.begin(), row.end());
  }
  const ops::PackedQuads packed = pack_bytes(table, weight, scale, bias, c.columns, c.depth);
  const std::size_t stride = packed.padded_columns;
  const std::vector<float> residual = random_floats(c.rows * stride, 6);
  Guarded found(output_size(pointwise_args(c, nullptr, stride)));
  const PointwiseArgs args = run_bytes(table, c, input, packed, found.data(), residual);
  for (std::size_t r = 0; r < c.rows; ++r)
    for (std::size_t n = 0; n < c.columns; ++n) {
      const auto row = x.begin() + static_cast<std::ptrdiff_t>(r * c.depth);
      const int sum = std::inner_product(row, row + static_cast<std::ptrdiff_t>(c.depth),
                                         weight.begin() + static_cast<std::ptrdiff_t>(n * c.depth), 0);
      const double product = sum * double{x_scale[r]} * double{scale[n]};
      const double y = reference::activate(c.activation, product + bias[n]);
      const double added = c.residual ? double{residual[r * stride + n]} : 0.0;
      const double coarse = c.activation == Activation::swish ? std::abs(y) * 0x1p-12 : 0;
      ASSERT_NEAR(found[output_begin(args, r) + n], y + added,
                  3e-7 * (std::abs(product) + std::abs(bias[n]) + std::abs(added)) + coarse)
          << "row " << r << ", column " << n;
    }
}

TEST(Int8Pointwise, AgreesWithTheReference) {
  for (const KernelTable* table : int8_tables())
    for (const PointwiseCase& c : byte_cases()) {
      SCOPED_TRACE(c);
      check_bytes(*table, c);
    }
}

/// With scales of 1, which float32 adds nothing to: the integers themselves, the same on every CPU.
TEST(Int8Pointwise, SumsAreThoseOfIntegers) {
  constexpr std::size_t rows = 13, columns = 65;
  for (const KernelTable* table : int8_tables())
    for (const std::size_t depth : {3, 16, 37, 1040}) {  // below 2^24
      const std::vector<int> x = whole_numbers(rows * depth, 7), weight = whole_numbers(columns * depth, 8);
      std::vector<std::uint32_t> input;
      for (auto row = x.begin(); row != x.end(); row += static_cast<std::ptrdiff_t>(depth)) {
        const std::vector<std::uint32_t> words =
            row_of(*int8_table(table->isa), {row, row + static_cast<std::ptrdiff_t>(depth)}, 1);
        input.insert(input.end(), words.begin(), words.end());
      }
      const ops::PackedQuads packed =
          pack_bytes(*table, weight, std::vector<float>(columns, 1), {}, columns, depth);
      Guarded found(rows * packed.padded_columns);
      run_bytes(*table, {rows, depth, columns}, input, packed, found.data());
      for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t n = 0; n < columns; ++n) {
          const auto row = x.begin() + static_cast<std::ptrdiff_t>(r * depth);
          const int sum = std::inner_product(row, row + static_cast<std::ptrdiff_t>(depth),
                                             weight.begin() + static_cast<std::ptrdiff_t>(n * depth), 0);
          ASSERT_EQ(found[r * packed.padded_columns + n], static_cast<float>(sum)) << r << ", " << n;
        }
    }
}

/// To the deepest that a model may have, where every product is the largest or the least.
TEST(Int8Pointwise, SumsExactlyAtTheExtremes) {
  for (const KernelTable* table : int8_tables())
    for (const std::size_t depth : {1040, 65536})
      for (const int x : {-128, -127, 127})
        for (const int w : {-127, 127}) {
          constexpr std::size_t columns = 17, rows = 9;
          const std::vector<int> weight(columns * depth, w);
          std::vector<std::uint32_t> input;
          for (std::size_t r = 0; r < rows; ++r) {
            const std::vector<std::uint32_t> row =
                row_of(*int8_table(table->isa), std::vector<int>(depth, x), 1);
            input.insert(input.end(), row.begin(), row.end());
          }
          const ops::PackedQuads packed =
              pack_bytes(*table, weight, std::vector<float>(columns, 1), {}, columns, depth);
          Guarded found(rows * packed.padded_columns);
          run_bytes(*table, {rows, depth, columns}, input, packed, found.data());
          const std::int64_t sum = std::int64_t{x} * w * static_cast<std::int64_t>(depth);
          for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t n = 0; n < columns; ++n)
              ASSERT_EQ(found[r * packed.padded_columns + n], static_cast<float>(sum))
                  << x << " times " << w << ", " << depth << " times";
        }
}

/// No activation hides that a row was not finite, and no other row sees it.
TEST(Int8Pointwise, NanReachesItsOwnRowAlone) {
  constexpr std::size_t rows = 11, depth = 32, columns = 50;
  std::vector<float> x = random_floats(rows * depth, 1);
  const std::vector<int> weight = whole_numbers(columns * depth, 2);
  x[4 * depth + 7] = infinity;
  x[9 * depth] = not_a_number;
  for (const KernelTable* table : int8_tables())
    for (const Activation act : {Activation::none, Activation::relu, Activation::swish}) {
      const ops::PackedQuads packed =
          pack_bytes(*table, weight, std::vector<float>(columns, 0.01f), {}, columns, depth);
      Guarded found(rows * packed.padded_columns);
      const std::vector<std::uint32_t> input = round(*int8_table(table->isa), x, depth);
      run_bytes(*table, {rows, depth, columns, act}, input, packed, found.data());
      for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t n = 0; n < columns; ++n)
          ASSERT_EQ(std::isnan(found[r * packed.padded_columns + n]), r == 4 || r == 9) << r << ", " << n;
    }
}

TEST(Int8Depthwise, DiffersByItsActivationAlone) {
  for (const KernelTable* table : int8_tables())
    check_coarse_depthwise(*table, int8_table(table->isa)->depthwise);
}

/// 2^-12 over the whole range; beyond it swish is x or nearly nothing.
TEST(Int8Pointwise, SwishIsGoodTo12BitsAndSaturates) {
  const std::vector<float> bias = swish_inputs();
  for (const KernelTable* table : int8_tables()) {
    const std::vector<std::uint32_t> input = row_of(*int8_table(table->isa), {0}, 1);
    const ops::PackedQuads packed = pack_bytes(*table, std::vector<int>(bias.size(), 1),
                                               std::vector<float>(bias.size(), 1), bias, bias.size(), 1);
    std::vector<float> y(packed.padded_columns);
    run_bytes(*table, {1, 1, bias.size(), Activation::swish}, input, packed, y.data());
    check_coarse_swish(bias, y);
  }
}

}  // namespace
}  // namespace pantanal::kernels
