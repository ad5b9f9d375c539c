// Gradients of the causal convolution: the reference against central differences, every instruction set
// against it.
#include "kernels/central_differences.hpp"
#include "kernels/guarded.hpp"
#include "pantanal/kernels/reference_backward.hpp"

namespace pantanal::kernels {
namespace {

TEST(CausalConvBackward, ReferenceIsTheGradient) {
  for (const bool swish : {false, true})
    for (const std::size_t steps : {1, 2, 9}) {
      constexpr std::size_t channels = 3, kernel = 4;
      std::vector<float> x = random_floats(steps * channels, 1), weight = random_floats(channels * kernel, 2),
                         bias = random_floats(channels, 3);
      const std::vector<float> dy = random_floats(steps * channels, 4);
      const auto loss = [&] {
        return weighted_sum(reference::causal_conv(x, steps, channels, weight, bias, kernel,
                                                   swish ? Activation::swish : Activation::none),
                            dy);
      };
      const auto found = reference::causal_conv_backward(x, dy, steps, channels, weight, bias, kernel, swish);
      expect_gradient(found.dx, central_differences(x, loss), "dx");
      expect_gradient(found.dweight, central_differences(weight, loss), "dweight");
      expect_gradient(found.dbias, central_differences(bias, loss), "dbias");
    }
}

std::vector<float> transposed(const std::vector<float>& x, std::size_t columns) {
  std::vector<float> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) y[i % columns * (x.size() / columns) + i / columns] = x[i];
  return y;
}

void check_conv(const KernelTable& table, std::size_t steps, std::size_t kernel, bool swish, bool backwards) {
  constexpr std::size_t channels = 32;
  const std::vector<float> x = random_floats(steps * channels, 1), dy = random_floats(steps * channels, 4),
                           weight = random_floats(channels * kernel, 2), bias = random_floats(channels, 3),
                           taps = transposed(weight, kernel);
  auto turn = [&](std::vector<float> rows) {
    for (std::size_t t = 0; backwards && t < steps / 2; ++t)
      for (std::size_t c = 0; c < channels; ++c)
        std::swap(rows[t * channels + c], rows[(steps - 1 - t) * channels + c]);
    return rows;
  };
  const std::vector<float> input = turn(x), output = turn(dy);
  Guarded dsum(dy.size()), dx(x.size()), dtaps(taps.size()), dbias(channels);
  std::copy(output.begin(), output.end(), dsum.data());
  const auto stride = backwards ? -static_cast<std::ptrdiff_t>(channels) : std::ptrdiff_t{channels};
  const std::size_t start = backwards ? (steps - 1) * channels : 0;
  table.causal_conv_backward({.input = input.data() + start,
                              .input_stride = stride,
                              .weights = taps.data(),
                              .weights_stride = channels,
                              .bias = bias.data(),
                              .dy = dsum.data() + start,
                              .dy_stride = stride,
                              .dx = dx.data() + start,
                              .dx_stride = stride,
                              .steps = steps,
                              .channels = channels,
                              .kernel = kernel,
                              .swish = swish});
  table.causal_conv_weight_gradient({.input = input.data() + start,
                                     .input_stride = stride,
                                     .dy = dsum.data() + start,
                                     .dy_stride = stride,
                                     .sequences = 1,
                                     .sequence_stride = 0,
                                     .dweights = dtaps.data(),
                                     .weights_stride = channels,
                                     .dbias = dbias.data(),
                                     .steps = steps,
                                     .channels = channels,
                                     .kernel = kernel});
  const auto expected = reference::causal_conv_backward(x, dy, steps, channels, weight, bias, kernel, swish);
  const auto rows = [&](Guarded& y) { return turn(std::vector<float>(y.data(), y.data() + y.size())); };
  expect_gradient(rows(dsum), expected.dsum, "dsum", 1e-6);
  expect_gradient(rows(dx), expected.dx, "dx", 1e-6);
  expect_gradient(transposed(std::vector<float>(dtaps.data(), dtaps.data() + dtaps.size()), channels),
                  expected.dweight, "dweight", 2e-6);
  expect_gradient(dbias, expected.dbias, "dbias", 2e-6);
}

TEST(CausalConvBackward, AgreesWithTheReference) {
  for (const KernelTable* table : all_tables())
    for (const std::size_t steps : {1, 2, 3, 4, 5, 12, 30})
      for (const std::size_t kernel : {1, 2, 4, 6})
        for (const bool swish : {false, true})
          for (const bool backwards : {false, true}) {
            SCOPED_TRACE(testing::Message() << to_string(table->isa) << " T " << steps << " kernel " << kernel
                                            << " swish " << swish << " backwards " << backwards);
            check_conv(*table, steps, kernel, swish, backwards);
          }
}

}  // namespace
}  // namespace pantanal::kernels
