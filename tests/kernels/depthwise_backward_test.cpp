// The depthwise convolution's gradients against the reference, and the reference against central differences.
#include "kernels/central_differences.hpp"
#include "kernels/guarded.hpp"
#include "pantanal/kernels/reference_backward.hpp"

namespace pantanal::kernels {
namespace {

/// Every kernel and stride with a specialisation of its own, and pads on one side more than on the other.
constexpr DepthwiseShape backward_shapes[] = {
    {7, 6, 7, 6, 3, 1, 1, 1}, {7, 6, 4, 3, 3, 2, 1, 0}, {6, 9, 6, 9, 5, 1, 2, 2},
    {8, 5, 4, 3, 5, 2, 1, 2}, {9, 9, 3, 3, 7, 3, 2, 3}, {3, 2, 3, 2, 5, 1, 2, 2},
    {1, 1, 1, 1, 3, 1, 1, 1}, {5, 5, 2, 2, 3, 2, 0, 0}, {4, 11, 4, 11, 1, 1, 0, 0}};
constexpr std::size_t backward_channels = 32, backward_images = 3;

std::size_t backward_input_size(const DepthwiseShape& s) {
  return s.input_rows * s.input_columns * backward_channels;
}
std::size_t backward_output_size(const DepthwiseShape& s) {
  return s.output_rows * s.output_columns * backward_channels;
}

TEST(DepthwiseBackward, ReferenceIsTheGradient) {
  for (const DepthwiseShape& s : backward_shapes) {
    std::vector<float> input = random_floats(backward_input_size(s), 1),
                       weights = random_floats(s.kernel * s.kernel * backward_channels, 2);
    const std::vector<float> dy = random_floats(backward_output_size(s), 3);
    // <dy, convolution(input, weights)> is bilinear: its gradient's product with an argument is its value.
    double value = 0;
    for (std::size_t at = 0; at < dy.size(); ++at)
      for (std::size_t tap = 0; tap < s.kernel * s.kernel; ++tap) {
        const std::size_t row = at / backward_channels / s.output_columns * s.stride + tap / s.kernel - s.top,
                          column =
                              at / backward_channels % s.output_columns * s.stride + tap % s.kernel - s.left;
        if (row < s.input_rows && column < s.input_columns)
          value +=
              double{dy[at]} * double{weights[tap * backward_channels + at % backward_channels]} *
              double{input[(row * s.input_columns + column) * backward_channels + at % backward_channels]};
      }
    const auto g = reference::depthwise_backward(s, backward_channels, input, dy, weights);
    EXPECT_NEAR(weighted_sum(g.dx, input), value, 1e-9);
    EXPECT_NEAR(weighted_sum(g.dweights, weights), value, 1e-9);
  }
}

TEST(DepthwiseBackward, AgreesWithTheReference) {
  for (const KernelTable* table : all_tables())
    for (const DepthwiseShape& s : backward_shapes) {
      SCOPED_TRACE(to_string(table->isa));
      const std::vector<float> input = random_floats(backward_input_size(s), 1),
                               weights = random_floats(s.kernel * s.kernel * backward_channels, 2),
                               dy = random_floats(backward_output_size(s), 3);
      const auto expected = reference::depthwise_backward(s, backward_channels, input, dy, weights);
      Guarded dx(input.size());
      table->depthwise_backward({.shape = s,
                                 .dy = dy.data(),
                                 .dy_stride = backward_channels,
                                 .weights = weights.data(),
                                 .weights_stride = backward_channels,
                                 .dx = dx.data(),
                                 .dx_stride = backward_channels,
                                 .channels = backward_channels});
      expect_gradient(dx, expected.dx, "dx", 1e-6);
    }
}

TEST(DepthwiseWeightGradient, AgreesWithTheReferenceOverImages) {
  for (const KernelTable* table : all_tables())
    for (const DepthwiseShape& s : backward_shapes) {
      SCOPED_TRACE(to_string(table->isa));
      const std::vector<float> input = random_floats(backward_images * backward_input_size(s), 1),
                               weights(s.kernel * s.kernel * backward_channels),
                               dy = random_floats(backward_images * backward_output_size(s), 3);
      std::vector<double> expected(weights.size()), expected_bias(backward_channels);
      for (std::size_t image = 0; image < backward_images; ++image) {
        const auto g = reference::depthwise_backward(
            s, backward_channels,
            std::span(input).subspan(image * backward_input_size(s), backward_input_size(s)),
            std::span(dy).subspan(image * backward_output_size(s), backward_output_size(s)), weights);
        for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += g.dweights[i];
        for (std::size_t c = 0; c < backward_channels; ++c) expected_bias[c] += g.dbias[c];
      }
      Guarded dweights(weights.size()), dbias(backward_channels);
      table->depthwise_weight_gradient({.shape = s,
                                        .input = input.data(),
                                        .input_stride = backward_channels,
                                        .input_image = backward_input_size(s),
                                        .dy = dy.data(),
                                        .dy_stride = backward_channels,
                                        .dy_image = backward_output_size(s),
                                        .images = backward_images,
                                        .dweights = dweights.data(),
                                        .weights_stride = backward_channels,
                                        .dbias = dbias.data(),
                                        .channels = backward_channels});
      expect_gradient(dweights, expected, "dweights", 2e-6);
      expect_gradient(dbias, expected_bias, "dbias", 2e-6);
    }
}

}  // namespace
}  // namespace pantanal::kernels
