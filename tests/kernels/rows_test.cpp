// LayerNorm, softmax and the causal convolution against their double references.
#include <cmath>

#include "kernels/guarded.hpp"
#include "pantanal/kernels/reference_scan.hpp"

namespace pantanal::kernels {
namespace {

constexpr std::size_t rows = 3, gap = 5;

/// `rows` rows of `columns` random floats, `gap` apart.
Guarded spread(const std::vector<float>& dense, std::size_t columns) {
  Guarded data(rows * (columns + gap));
  for (std::size_t i = 0; i < dense.size(); ++i)
    data.data()[i / columns * (columns + gap) + i % columns] = dense[i];
  return data;
}

TEST(LayerNorm, AgreesWithTheReference) {
  for (const KernelTable* table : all_tables())
    for (const std::size_t columns : {1, 2, 7, 16, 33, 320}) {
      std::vector<float> x = random_floats(rows * columns, 1);
      for (float& v : x) v = 3 * v + 40;  // a mean that is large beside the deviation
      const std::vector<float> weight = random_floats(columns, 2), bias = random_floats(columns, 3);
      Guarded data = spread(x, columns);
      table->layer_norm(data.data(), rows, columns + gap, columns, 1e-5f, weight.data(), bias.data(),
                        data.data(), columns + gap);
      const std::vector<double> expected = reference::layer_norm(x, columns, 1e-5, weight, bias);
      for (std::size_t i = 0; i < x.size(); ++i)
        ASSERT_NEAR(data[i / columns * (columns + gap) + i % columns], expected[i], 2e-5)
            << to_string(table->isa) << " " << columns;
    }
}

/// Random values of about `size`, against the reference.
void check_large_layer_norm(const KernelTable& table, std::size_t columns, float size) {
  std::vector<float> x = random_floats(rows * columns, 1);
  for (float& v : x) v *= size;
  const std::vector<float> weight = random_floats(columns, 2), bias = random_floats(columns, 3);
  std::vector<float> found(x.size());
  table.layer_norm(x.data(), rows, columns, columns, 1e-5f, weight.data(), bias.data(), found.data(),
                   columns);
  const std::vector<double> expected = reference::layer_norm(x, columns, 1e-5, weight, bias);
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(found[i], expected[i], 2e-5) << i;
}

TEST(LayerNorm, AgreesWithTheReferenceWhereTheVarianceOrTheSumOverflows) {
  for (const KernelTable* table : all_tables())
    for (const std::size_t columns : {2, 7, 16, 33, 320})
      for (const float size : {1e15f, 1e18f, 1e19f, 3e19f, 1e25f, 1e32f, 1e37f, 3e37f}) {
        SCOPED_TRACE(testing::Message() << to_string(table->isa) << " " << columns << " x " << size);
        check_large_layer_norm(*table, columns, size);
      }
}

TEST(LayerNorm, GivesTheBiasOfEqualValuesAndKeepsNonFiniteOnes) {
  constexpr std::size_t columns = 32;  // powers of two, whose sums are exact
  const std::vector<float> weight(columns, 1.0f), bias = random_floats(columns, 3);
  std::vector<float> found(columns);
  for (const KernelTable* table : all_tables()) {
    const auto run = [&](const std::vector<float>& x) {
      table->layer_norm(x.data(), 1, columns, columns, 1e-5f, weight.data(), bias.data(), found.data(),
                        columns);
    };
    run(std::vector<float>(columns, 0x1p127f));
    EXPECT_EQ(found, bias) << to_string(table->isa);
    for (const float bad : {NAN, INFINITY}) {
      std::vector<float> x = random_floats(columns, 4);
      x[5] = bad;
      run(x);
      for (const float v : found) ASSERT_TRUE(std::isnan(v)) << to_string(table->isa);
    }
  }
}

TEST(SoftmaxRows, AgreesWithTheReferenceAndNeverOverflows) {
  for (const KernelTable* table : all_tables())
    for (const std::size_t columns : {1, 2, 12, 16, 33, 100})
      for (const float scale : {1.0f, 200.0f}) {
        const std::vector<float> x = random_floats(rows * columns, 1);
        Guarded data = spread(x, columns);
        table->softmax_rows(data.data(), rows, columns + gap, columns, scale);
        const std::vector<double> expected = reference::softmax_rows(x, columns, double{scale});
        for (std::size_t i = 0; i < x.size(); ++i)
          ASSERT_NEAR(data[i / columns * (columns + gap) + i % columns], expected[i],
                      1e-5 * expected[i] + 1e-30 + 1e-6)
              << to_string(table->isa) << " " << columns;
      }
}

void check_causal_conv(const KernelTable& table, std::size_t steps, std::size_t kernel, Activation act) {
  constexpr std::size_t channels = 32;
  const std::vector<float> x = random_floats(steps * channels, 1),
                           weight = random_floats(channels * kernel, 2), bias = random_floats(channels, 3);
  std::vector<float> taps(weight.size());
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t j = 0; j < kernel; ++j) taps[j * channels + c] = weight[c * kernel + j];
  Guarded output(steps * channels);
  table.causal_conv({.input = x.data(),
                     .input_stride = channels,
                     .weights = taps.data(),
                     .weights_stride = channels,
                     .bias = bias.data(),
                     .output = output.data(),
                     .output_stride = channels,
                     .steps = steps,
                     .channels = channels,
                     .kernel = kernel,
                     .activation = act});
  const std::vector<double> expected = reference::causal_conv(x, steps, channels, weight, bias, kernel, act);
  for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(output[i], expected[i], 3e-6) << i;
}

TEST(CausalConv, AgreesWithTheReference) {
  for (const KernelTable* table : all_tables())
    for (const std::size_t steps : {1, 2, 3, 4, 12, 31})
      for (const std::size_t kernel : {1, 2, 3, 4, 7})
        for (const Activation act : {Activation::none, Activation::swish}) {
          SCOPED_TRACE(testing::Message() << to_string(table->isa) << " T " << steps << " k " << kernel);
          check_causal_conv(*table, steps, kernel, act);
        }
}

}  // namespace
}  // namespace pantanal::kernels
