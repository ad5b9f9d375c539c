// The depthwise convolution of every instruction set against its double reference.
#include <cmath>

#include "kernels/guarded.hpp"
#include "pantanal/kernels/reference.hpp"

namespace pantanal::kernels {
namespace {

struct DepthwiseCase {
  std::size_t kernel, stride, rows, columns, channels;
  Activation activation = Activation::none;
};

std::vector<DepthwiseCase> depthwise_cases() {
  std::vector<DepthwiseCase> all;
  for (const std::size_t kernel : {1, 3, 5, 7})
    for (const std::size_t stride : {1, 2, 3})
      for (const std::size_t columns : {1, 3, 4, 7, 8, 13}) all.push_back({kernel, stride, 3, columns, 16});
  for (const std::size_t channels : {16, 32, 48, 64})
    all.push_back({3, 1, 4, 9, channels, Activation::swish});
  all.push_back({5, 2, 4, 9, 48, Activation::relu});
  all.push_back({3, 2, 4, 9, 48, Activation::sigmoid});
  return all;
}

/// Input already padded: the reference sees an image without border.
void check_depthwise(const KernelTable& table, const DepthwiseCase& c) {
  const std::size_t height = (c.rows - 1) * c.stride + c.kernel,
                    width = (c.columns - 1) * c.stride + c.kernel;
  const std::size_t taps = c.kernel * c.kernel, stride = c.channels + 3;
  const std::vector<float> image = random_floats(height * width * c.channels, 1),
                           weight = random_floats(c.channels * taps, 2), bias = random_floats(c.channels, 3);
  std::vector<float> by_tap(taps * c.channels);
  for (std::size_t ch = 0; ch < c.channels; ++ch)
    for (std::size_t t = 0; t < taps; ++t) by_tap[t * c.channels + ch] = weight[ch * taps + t];
  Guarded output((c.rows * c.columns - 1) * stride + c.channels),
      row_sums((c.rows - 1) * stride + c.channels);
  table.depthwise({.input = image.data(),
                   .input_row_stride = width * c.channels,
                   .input_stride = c.channels,
                   .weights = by_tap.data(),
                   .weights_stride = c.channels,
                   .bias = bias.data(),
                   .output = output.data(),
                   .output_row_stride = c.columns * stride,
                   .output_stride = stride,
                   .row_sums = row_sums.data(),
                   .row_sums_stride = stride,
                   .rows = c.rows,
                   .columns = c.columns,
                   .channels = c.channels,
                   .kernel = c.kernel,
                   .stride = c.stride,
                   .activation = c.activation});
  const std::vector<double> expected = reference::depthwise<float>(
      image, {height, width, c.channels, c.kernel, c.stride, 0, 0, c.rows, c.columns}, weight, bias,
      c.activation);
  for (std::size_t y = 0; y < c.rows; ++y)
    for (std::size_t ch = 0; ch < c.channels; ++ch) {
      double sum = 0;
      for (std::size_t x = 0; x < c.columns; ++x) {
        const double e = expected[(y * c.columns + x) * c.channels + ch];
        ASSERT_NEAR(output[(y * c.columns + x) * stride + ch], e, 1e-5) << y << ", " << x << ", " << ch;
        sum += e;
      }
      ASSERT_NEAR(row_sums[y * stride + ch], sum, 1e-4) << "row " << y << ", channel " << ch;
    }
}

TEST(Depthwise, AgreesWithTheReference) {
  for (const KernelTable* table : all_tables())
    for (const DepthwiseCase& c : depthwise_cases()) {
      SCOPED_TRACE(testing::Message() << to_string(table->isa) << " kernel " << c.kernel << " stride "
                                      << c.stride << " columns " << c.columns << " channels " << c.channels);
      check_depthwise(*table, c);
    }
}

}  // namespace
}  // namespace pantanal::kernels
