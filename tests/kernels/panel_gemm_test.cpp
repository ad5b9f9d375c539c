// Matrix products, Adam's step and the symmetric kernels of every instruction set against sums in double.
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <type_traits>

#include "kernels/guarded.hpp"

namespace pantanal::kernels {
namespace {

template <class T>
std::vector<T> random_values(std::size_t size, unsigned seed) {
  const std::vector<float> values = random_floats(size, seed);
  return {values.begin(), values.end()};
}

template <class T>
void run_panel_gemm(const KernelTable& table, const PanelGemmArgs<T>& args) {
  if constexpr (std::is_same_v<T, float>)
    table.panel_gemm_f32(args);
  else
    table.panel_gemm_f64(args);
}

/// A mask of random bits for [rows, depth], or none.
struct TestMask {
  std::size_t stride;
  std::vector<std::uint64_t> words;

  TestMask(bool masked, std::size_t rows, std::size_t depth) : stride((depth + 63) / 64) {
    std::mt19937_64 random(5);
    words.resize(masked ? rows * stride : 0);
    for (std::uint64_t& word : words) word = random();
  }
  const std::uint64_t* data() const { return words.empty() ? nullptr : words.data(); }
  bool has(std::size_t r, std::size_t k) const {
    return words.empty() || (words[r * stride + k / 64] >> k % 64 & 1) != 0;
  }
};

template <class T>
void check_panel_gemm(const KernelTable& table, std::size_t rows, std::size_t depth, std::size_t columns,
                      bool transposed, bool accumulate, bool relu, bool masked = false, bool tiled = false,
                      bool side_by_side = false) {
  const TestMask mask(masked, rows, depth);
  const std::size_t panel = table.gemm_panel<T>(), panels = (columns + panel - 1) / panel;
  const std::size_t half = panel / 2, stored = (columns + half - 1) / half * half;
  const std::size_t tile = tiled ? table.gemm_rows : rows, tiles = (rows + tile - 1) / tile;
  const std::vector<T> a = random_values<T>(tiles * tile * depth, 1),
                       b = random_values<T>(panels * depth * panel, 2);
  // Panels of b one after the other, or side by side, as those of a row-major matrix are.
  const std::size_t b_row = side_by_side ? panels * panel : panel,
                    b_panel = side_by_side ? panel : depth * panel;
  const std::vector<T> bias = random_values<T>(panels * panel, 3), start = random_values<T>(rows * stored, 4);
  std::vector<T> c = start;
  c.resize(rows * stored + panel, T{77});
  run_panel_gemm<T>(table, {.a = a.data(),
                            .a_row_stride = transposed ? 1 : depth,
                            .a_depth_stride = transposed ? tile : 1,
                            .a_tile_stride = tiled ? tile * depth : 0,
                            .b = b.data(),
                            .b_depth_stride = b_row,
                            .b_panel_stride = b_panel,
                            .bias = bias.data(),
                            .c = c.data(),
                            .c_row_stride = stored,
                            .c_panel_stride = panel,
                            .rows = rows,
                            .depth = depth,
                            .columns = columns,
                            .accumulate = accumulate,
                            .relu = relu,
                            .mask = mask.data(),
                            .mask_stride = mask.stride});
  const double tolerance = (std::is_same_v<T, float> ? 1e-6 : 1e-15) * (8 + static_cast<double>(depth));
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t n = 0; n < columns; ++n) {
      double sum = static_cast<double>(accumulate ? start[r * stored + n] : bias[n]);
      for (std::size_t k = 0; k < depth; ++k)
        if (mask.has(r, k))
          sum += static_cast<double>(transposed ? a[(r / tile * depth + k) * tile + r % tile]
                                                : a[r * depth + k]) *
                 static_cast<double>(b[n / panel * b_panel + k * b_row + n % panel]);
      ASSERT_NEAR(static_cast<double>(c[r * stored + n]), relu ? std::max(sum, 0.0) : sum, tolerance);
    }
  for (std::size_t i = rows * stored; i < c.size(); ++i) ASSERT_EQ(c[i], T{77}) << "stray store";
}

template <class T>
void check_panel_gemms() {
  for (const KernelTable* table : all_tables())
    for (const std::size_t rows : {1, 3, 4, 12, 13, 29})
      for (const std::size_t columns : {1, 16, 40, 64})
        for (const bool transposed : {false, true}) {
          SCOPED_TRACE(testing::Message()
                       << to_string(table->isa) << " " << rows << " x " << columns << " " << transposed);
          check_panel_gemm<T>(*table, rows, 17, columns, transposed, rows == 4, rows == 3);
          check_panel_gemm<T>(*table, rows, 17, columns, transposed, rows == 4, false, false, transposed,
                              true);
        }
}
TEST(PanelGemm, AgreesWithSumsInDouble) {
  check_panel_gemms<float>();
  check_panel_gemms<double>();
}

template <class T>
void check_masked_gemms() {
  for (const KernelTable* table : all_tables()) {
    const std::size_t width = table->gemm_panel<T>() / 2;
    for (const std::size_t rows : {1, 6, 7})
      for (const std::size_t depth : {5, 64, 150})
        for (const std::size_t vectors : {1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 16, 21}) {
          SCOPED_TRACE(testing::Message() << to_string(table->isa) << " " << rows << " x " << depth << " x "
                                          << vectors << " vectors");
          for (const bool side_by_side : {false, true})
            check_panel_gemm<T>(*table, rows, depth, vectors * width - 1, vectors % 2 == 0, rows == 6,
                                rows == 7, true, false, side_by_side);
        }
  }
}
TEST(PanelGemm, LeavesOutWhatTheMaskDoes) {
  check_masked_gemms<float>();
  check_masked_gemms<double>();
}

template <class T, class Find>
void check_positive_mask(const KernelTable& table, Find find) {
  const std::size_t rows = 3, columns = 85, stride = 90;
  std::vector<T> x = random_values<T>(rows * stride, 1);
  for (std::size_t i = 0; i < x.size(); i += 3) x[i] = T{0};
  x[1] = -T{0};
  std::vector<std::uint64_t> mask(rows * 2 + 1, 77);
  (table.*find)(x.data(), stride, rows, columns, mask.data(), 2);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t k = 0; k < 128; ++k)
      ASSERT_EQ((mask[r * 2 + k / 64] >> k % 64 & 1) != 0, k < columns && x[r * stride + k] > 0)
          << to_string(table.isa) << " " << r << ", " << k;
  ASSERT_EQ(mask.back(), 77u) << "stray store";
}

TEST(PositiveMask, HasABitPerPositiveValue) {
  for (const KernelTable* table : all_tables()) {
    check_positive_mask<float>(*table, &KernelTable::positive_mask_f32);
    check_positive_mask<double>(*table, &KernelTable::positive_mask_f64);
  }
}

template <class T, class Step>
void check_adam(const KernelTable& table, Step step, double tolerance) {
  const std::size_t count = 64;
  std::vector<T> w = random_values<T>(count, 1), m = random_values<T>(count, 2),
                 v = random_values<T>(count, 3);
  const std::vector<T> g = random_values<T>(count, 4);
  for (T& x : v) x *= x;
  const std::vector<T> w0 = w, m0 = m, v0 = v;
  const double squares = static_cast<double>((table.*step)({.weights = w.data(),
                                                            .gradient = g.data(),
                                                            .first_moment = m.data(),
                                                            .second_moment = v.data(),
                                                            .count = count,
                                                            .decay = T(0.5),
                                                            .gradient_scale = T(0.25),
                                                            .beta_1 = T(0.9),
                                                            .beta_2 = T(0.99),
                                                            .learning_rate = T(0.1),
                                                            .epsilon = T(1e-3),
                                                            .rest_1 = T(0.1),
                                                            .rest_2 = T(0.01)}));
  double expected = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double weight = static_cast<double>(w0[i]);
    expected += weight * weight;
    const double gradient = (static_cast<double>(g[i]) + 0.5 * weight) * 0.25;
    const double first = 0.9 * static_cast<double>(m0[i]) + 0.1 * gradient;
    const double second = 0.99 * static_cast<double>(v0[i]) + 0.01 * gradient * gradient;
    EXPECT_NEAR(static_cast<double>(m[i]), first, tolerance);
    EXPECT_NEAR(static_cast<double>(v[i]), second, 10 * tolerance);
    EXPECT_NEAR(static_cast<double>(w[i]), weight - 0.1 * first / (std::sqrt(second) + 1e-3), 10 * tolerance);
  }
  EXPECT_NEAR(squares, expected, 100 * tolerance);
}

TEST(Adam, AgreesWithItsEquations) {
  for (const KernelTable* table : all_tables()) {
    check_adam<float>(*table, &KernelTable::adam_f32, 1e-6);
    check_adam<double>(*table, &KernelTable::adam_f64, 1e-14);
  }
}

TEST(Symmetric, MultipliesFromTheUpperTriangle) {
  for (const KernelTable* table : all_tables())
    for (const std::size_t n : {1, 2, 9, 37})
      for (const std::size_t rows : {n / 3, n}) {
        const std::vector<double> a = random_values<double>(n * n, 1), x = random_values<double>(n, 2);
        std::vector<double> y(n + 1, 77);
        table->symmetric_product(a.data(), n, n, rows, x.data(), y.data());
        for (std::size_t i = 0; i < n; ++i) {
          double sum = 77;
          for (std::size_t j = 0; j < n; ++j)
            if (std::min(i, j) < rows) sum += a[std::min(i, j) * n + std::max(i, j)] * x[j];
          ASSERT_NEAR(y[i], sum, 1e-13 * (77 + static_cast<double>(n)));
        }
        ASSERT_EQ(y[n], 77) << "stray store";
      }
}

TEST(Symmetric, MultipliesRowsByAVector) {
  for (const KernelTable* table : all_tables())
    for (const std::size_t n : {1, 7, 16, 53})
      for (const std::size_t rows : {0, 1, 6, 9}) {
        const std::size_t stride = n + 2;
        const std::vector<double> a = random_values<double>(rows * stride + 1, 1),
                                  x = random_values<double>(n, 2);
        std::vector<double> y(rows + 1, 77);
        table->row_products(a.data(), stride, rows, n, x.data(), y.data());
        for (std::size_t r = 0; r < rows; ++r)
          ASSERT_NEAR(y[r], std::inner_product(x.begin(), x.end(), a.begin() + r * stride, 0.0),
                      1e-13 * static_cast<double>(n));
        ASSERT_EQ(y[rows], 77) << "stray store";
      }
}

template <class T, class Rectify>
void check_rectify(const KernelTable& table, Rectify rectify, bool values) {
  const std::size_t width = table.gemm_panel<T>() / 2, columns = 11 * width, stride = columns + 3;
  for (const std::size_t rows : {0, 1, 5}) {
    std::vector<T> value = random_values<T>(rows * stride, 1), sums(columns + 1, T{77});
    for (std::size_t i = 0; i < value.size(); i += 3) value[i] = T{0};
    const std::vector<T> before = random_values<T>(rows * stride, 2);
    std::vector<T> delta = before, expected = before, expected_sums(columns);
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t c = 0; c < columns; ++c) {
        T& d = expected[r * stride + c];
        if (values && !(value[r * stride + c] > 0)) d = T{0};
        expected_sums[c] += d;
      }
    (table.*rectify)({.value = values ? value.data() : nullptr,
                      .delta = delta.data(),
                      .stride = stride,
                      .rows = rows,
                      .columns = columns - width + 1,
                      .sums = sums.data()});
    expected_sums.push_back(T{77});
    ASSERT_EQ(delta, expected);
    ASSERT_EQ(sums, expected_sums);
  }
}

TEST(Rectify, KeepsActiveUnitsDeltasAndSumsThem) {
  for (const KernelTable* table : all_tables())
    for (const bool values : {false, true}) {
      check_rectify<float>(*table, &KernelTable::rectify_f32, values);
      check_rectify<double>(*table, &KernelTable::rectify_f64, values);
    }
}

TEST(Symmetric, CountsEigenvaluesAboveEachPoint) {
  constexpr std::size_t n = 30;  // ones beside a diagonal of zeros: 2·cos(kπ / (n + 1)), k = 1 … n
  const std::vector<double> diagonal(n), squares(n, 1.0);
  for (const KernelTable* table : all_tables()) {
    const std::size_t count = 5 * table->vector_floats / 2;
    std::vector<double> x(count), above(count + 1, 77);
    for (std::size_t i = 0; i < count; ++i)
      x[i] = -2.1 + 4.2 * static_cast<double>(i) / static_cast<double>(count);
    table->sturm_counts({.diagonal = diagonal.data(),
                         .squares = squares.data(),
                         .n = n,
                         .least = 1e-30,
                         .x = x.data(),
                         .above = above.data(),
                         .count = count});
    for (std::size_t i = 0; i < count; ++i) {
      double expected = 0;
      for (std::size_t k = 1; k <= n; ++k)
        expected += 2 * std::cos(static_cast<double>(k) * std::acos(-1.0) / (n + 1)) > x[i];
      ASSERT_EQ(above[i], expected) << to_string(table->isa) << " " << x[i];
    }
    ASSERT_EQ(above[count], 77) << "stray store";
  }
}

TEST(Symmetric, RotatesRows) {
  for (const KernelTable* table : all_tables()) {
    const std::size_t rows = 7, columns = 5 * table->vector_floats, stride = columns + 3;
    const std::vector<double> z0 = random_values<double>(rows * stride, 1);
    std::vector<double> z = z0, expected = z0;
    const std::vector<double> c{0.6, 0.8, -0.6}, s{0.8, -0.6, 0.8};
    table->rotate_rows(z.data(), stride, columns, 2, 5, c.data(), s.data());
    for (std::size_t i = 2; i < 5; ++i)
      for (std::size_t k = 0; k < columns; ++k) {
        const double x = expected[i * stride + k], y = expected[(i + 1) * stride + k];
        expected[i * stride + k] = c[i - 2] * x + s[i - 2] * y;
        expected[(i + 1) * stride + k] = c[i - 2] * y - s[i - 2] * x;
      }
    for (std::size_t i = 0; i < z.size(); ++i) ASSERT_NEAR(z[i], expected[i], 1e-14);
  }
}

}  // namespace
}  // namespace pantanal::kernels
