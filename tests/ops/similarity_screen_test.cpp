// Maxima found by way of 16-bit integers against those of float32, bit for bit, above all where those alone
// would be wrong.
#include "pantanal/ops/similarity_screen.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/guarded.hpp"

namespace pantanal::ops {
namespace {

struct ScreenProblem {
  std::size_t rows, depth, columns;
  std::vector<float> input, weight;
};

/// Rows of `spread` around one direction, all of about unit length; columns too.
ScreenProblem screen_problem(std::size_t rows, std::size_t depth, std::size_t columns, float spread,
                             unsigned seed) {
  const float unit = 1 / std::sqrt(static_cast<float>(depth));
  ScreenProblem p{rows, depth, columns, kernels::random_floats(rows * depth, seed, unit * spread),
                  kernels::random_floats(columns * depth, seed + 1, unit)};
  const std::vector<float> common = kernels::random_floats(depth, seed + 2, unit);
  for (std::size_t i = 0; i < p.input.size(); ++i) p.input[i] += common[i % depth];
  return p;
}

/// Bits of the maxima; `screen` none: float32 throughout. `trusting` takes the integers' similarities for
/// exact.
std::vector<std::uint32_t> screen_maxima(const kernels::KernelTable& table, const ScreenProblem& p,
                                         bool screened, bool trusting = false) {
  const PackedMatrix packed = pack_matrix(table, p.weight, {}, p.columns, p.depth);
  kernels::Guarded found(packed.padded_columns);
  const kernels::MaxSimilarityArgs exact{.input = p.input.data(),
                                         .input_stride = p.depth,
                                         .weights = packed.weights.data(),
                                         .maxima = found.data(),
                                         .rows = p.rows,
                                         .depth = p.depth,
                                         .padded_columns = packed.padded_columns};
  if (screened) {
    const SimilarityScreen screen(table, packed, p.rows);
    ScreenedRows rows = screen.make_rows();
    screen.center_rows(Team(), p.input.data(), p.depth, rows);
    screen.quantize_rows(Team(), p.input.data(), p.depth, rows);
    if (trusting)
      for (std::size_t r = 0; r < p.rows; ++r) rows.error[r] = rows.norm[r] = rows.rounding[r] = 0;
    EXPECT_TRUE(screen.is_usable(rows));
    const kernels::ScreenedWindow window = SimilarityScreen::window(p.input.data(), rows, found.data());
    screen.max_similarity(packed, {&window, 1}, p.depth, 0, packed.padded_columns);
  } else {
    table.max_similarity(exact);
  }
  std::vector<std::uint32_t> bits;
  for (std::size_t n = 0; n < p.columns; ++n) bits.push_back(std::bit_cast<std::uint32_t>(found[n]));
  return bits;
}

std::vector<const kernels::KernelTable*> screening_tables() {
  std::vector<const kernels::KernelTable*> tables;
  for (const kernels::KernelTable* table : kernels::all_tables())
    if (SimilarityScreen::is_supported(table->isa, 1)) tables.push_back(table);
  return tables;
}

void expect_equal_bits(const ScreenProblem& p) {
  for (const kernels::KernelTable* table : screening_tables())
    EXPECT_EQ(screen_maxima(*table, p, true), screen_maxima(*table, p, false))
        << p.rows << " rows, depth " << p.depth << ", " << p.columns << " columns";
}

/// As many windows as go together, half of them with so many near ties that their rechecks take several goes,
/// over panels of every width.
TEST(SimilarityScreen, GivesFloat32sBitsForManyWindowsAtOnce) {
  constexpr std::size_t rows = 64, depth = 70;
  for (const std::size_t columns : {464, 480})
    for (const kernels::KernelTable* table : screening_tables()) {
      const PackedMatrix packed =
          pack_matrix(*table, kernels::random_floats(columns * depth, 99), {}, columns, depth);
      const SimilarityScreen screen(*table, packed, rows);
      std::vector<ScreenProblem> problems;
      std::vector<ScreenedRows> screened;
      kernels::Guarded found(kernels::screen_windows * packed.padded_columns);
      std::vector<kernels::ScreenedWindow> windows;
      for (unsigned w = 0; w < kernels::screen_windows; ++w) {
        std::vector<float>& x = problems.emplace_back(screen_problem(rows, depth, 1, 1, w)).input;
        for (std::size_t i = 8 * depth; w % 2 && i < x.size(); ++i)
          x[i] = std::nextafter(x[i % (8 * depth)], i % 3 ? 2.0f : -2.0f);
        ScreenedRows& prepared = screened.emplace_back(screen.make_rows());
        screen.center_rows(Team(), x.data(), depth, prepared);
        screen.quantize_rows(Team(), x.data(), depth, prepared);
        windows.push_back(
            SimilarityScreen::window(x.data(), prepared, found.data() + w * packed.padded_columns));
      }
      screen.max_similarity(packed, windows, depth, 0, packed.padded_columns);
      for (std::size_t w = 0; w < windows.size(); ++w) {
        kernels::Guarded expected(packed.padded_columns);
        table->max_similarity({.input = windows[w].input,
                               .input_stride = depth,
                               .weights = packed.weights.data(),
                               .maxima = expected.data(),
                               .rows = rows,
                               .depth = depth,
                               .padded_columns = packed.padded_columns});
        for (std::size_t n = 0; n < columns; ++n)
          ASSERT_EQ(std::bit_cast<std::uint32_t>(windows[w].maxima[n]),
                    std::bit_cast<std::uint32_t>(expected[n]))
              << "window " << w << ", column " << n;
      }
    }
}

TEST(SimilarityScreen, QuantizesWithinTheErrorItStates) {
  for (const std::size_t depth : {1, 2, 19, 1536})
    for (const float size : {1.0f, 1e-30f, 1e30f, 1e-40f}) {
      const std::vector<float> x = kernels::random_floats(depth, 3, size);
      std::vector<std::int16_t> integers(depth + 1);
      const QuantizedVector q = quantize(
          depth, [&](std::size_t k) { return x[k]; }, integers.data(), 2);
      double error = 0, square = 0, length = 0;
      for (std::size_t k = 0; k < depth; ++k) {
        const double kept = double{q.scale} * integers[k];
        error += (x[k] - kept) * (x[k] - kept), square += double{x[k]} * x[k],
            length += integers[k] * integers[k];
      }
      EXPECT_NEAR(q.error, std::sqrt(error), 1e-9 * std::sqrt(square));
      EXPECT_LT(length, 0x1p31);
      if (size == 1) {
        EXPECT_LT(q.error, 3e-4 * std::sqrt(square)) << depth;
      }
    }
}

TEST(SimilarityScreen, GivesFloat32sBitsForEveryShape) {
  for (const std::size_t rows : {1, 4, 9, 33, 64})
    for (const std::size_t depth : {1, 2, 19, 130})
      for (const std::size_t columns : {1, 16, 47, 49, 100})
        expect_equal_bits(screen_problem(rows, depth, columns, 1, static_cast<unsigned>(rows + depth)));
}

TEST(SimilarityScreen, GivesFloat32sBitsAtFullSize) {
  for (const float spread : {1.0f, 0.1f, 0.001f})
    expect_equal_bits(screen_problem(64, 1536, 480, spread, 11));
}

/// Pairs of rows that differ by a last bit of one component, and rows that are the same: integers alone order
/// some wrongly.
TEST(SimilarityScreen, GivesFloat32sBitsForNearTies) {
  std::size_t wrong = 0;
  for (const std::size_t different : {1, 2, 32}) {
    ScreenProblem p = screen_problem(64, 96, 200, 1, 5);
    for (std::size_t r = different; r < p.rows; ++r)
      for (std::size_t k = 0; k < p.depth; ++k)
        p.input[r * p.depth + k] = p.input[r % different * p.depth + k];
    expect_equal_bits(p);
    for (std::size_t r = different; r < p.rows; ++r) {
      float& x = p.input[r * p.depth + r % p.depth];
      x = std::nextafter(x, r % 3 ? 2.0f : -2.0f);
    }
    expect_equal_bits(p);
    for (const kernels::KernelTable* table : screening_tables())
      wrong += screen_maxima(*table, p, true, true) != screen_maxima(*table, p, false);
  }
  EXPECT_TRUE(wrong > 0 || screening_tables().empty()) << "nothing here is hard to tell apart";
}

/// Similarities of zero of either sign, opposite rows, and numbers near both ends of float32's range.
TEST(SimilarityScreen, GivesFloat32sBitsForExtremeNumbers) {
  ScreenProblem zeros = screen_problem(12, 40, 60, 1, 3);
  for (std::size_t i = 0; i < zeros.input.size(); ++i) zeros.input[i] = i % 3 ? 0.0f : -0.0f;
  expect_equal_bits(zeros);
  ScreenProblem opposite = screen_problem(2, 40, 60, 1, 4);
  for (std::size_t k = 0; k < 40; ++k) opposite.input[40 + k] = -opposite.input[k];
  expect_equal_bits(opposite);
  for (const float scale : {1e-44f, 1e-36f, 1e-20f, 1e20f, 1e33f, 1e37f}) {
    ScreenProblem p = screen_problem(24, 40, 60, 1, 6);
    for (float& w : p.weight) w *= scale;
    expect_equal_bits(p);
  }
}

TEST(SimilarityScreen, IsNotUsedForRowsThatAreNotFinite) {
  for (const kernels::KernelTable* table : screening_tables())
    for (const float bad :
         {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
      ScreenProblem p = screen_problem(3, 5, 4, 1, 1);
      p.input[7] = bad;
      const PackedMatrix packed = pack_matrix(*table, p.weight, {}, p.columns, p.depth);
      const SimilarityScreen screen(*table, packed, p.rows);
      ScreenedRows rows = screen.make_rows();
      screen.center_rows(Team(), p.input.data(), p.depth, rows);
      screen.quantize_rows(Team(), p.input.data(), p.depth, rows);
      EXPECT_FALSE(screen.is_usable(rows));
    }
}

}  // namespace
}  // namespace pantanal::ops
