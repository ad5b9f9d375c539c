#include "pantanal/onednn/network.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernels/guarded.hpp"

namespace pantanal::onednn {
namespace {

dnnl::memory::desc nchw(const dnnl::memory::dims& dims) {
  return {dims, dnnl::memory::data_type::f32, dnnl::memory::format_tag::nchw};
}

// y = swish(W x + b + x), then times its mean over the positions, by hand.
TEST(OnednnNetwork, ComputesWhatItsStepsSay) {
  constexpr std::size_t channels = 3, positions = 4;
  const std::vector<float> weight = kernels::random_floats(channels * channels, 1);
  const std::vector<float> bias = kernels::random_floats(channels, 2);
  const std::vector<float> x = kernels::random_floats(channels * positions, 3);
  Network network;
  const dnnl::memory::desc layout = nchw({1, channels, 2, 2});
  const Value image = network.to_channels_last({Slot::input, layout}, Slot::image);
  const Value kept = network.to_channels_last(image, Slot::other_image);  // already is
  EXPECT_EQ(kept.slot, Slot::image);
  const Value same = {Slot::expanded, image.layout};
  network.copy(image, same.slot, same.layout);
  const Value y = network.convolve(same, Slot::image,
                                   {.weight = weight,
                                    .bias = bias,
                                    .in = channels,
                                    .out = channels,
                                    .height = 2,
                                    .width = 2,
                                    .activation = dnnl::algorithm::eltwise_swish,
                                    .adds = true});
  network.scale(y, network.average(y, Slot::mean));
  network.copy(y, Slot::output, layout);

  std::vector<float> expected(x.size());
  for (std::size_t c = 0; c < channels; ++c) {
    float mean = 0;
    for (std::size_t p = 0; p < positions; ++p) {
      float sum = bias[c] + x[c * positions + p];
      for (std::size_t k = 0; k < channels; ++k) sum += weight[c * channels + k] * x[k * positions + p];
      expected[c * positions + p] = sum / (1 + std::exp(-sum));
      mean += expected[c * positions + p] / positions;
    }
    for (std::size_t p = 0; p < positions; ++p) expected[c * positions + p] *= mean;
  }
  Network::Workspace first(network), second(network);
  for (Network::Workspace* workspace : {&first, &second, &first}) {
    std::vector<float> found(x.size());
    workspace->run(x.data(), found.data());
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-5) << i;
  }
}

TEST(OnednnNetwork, ThrowsWhatOnednnRefuses) {
  Network network;
  const std::vector<float> weight(4), bias(1);
  EXPECT_THROW(network.convolve(
                   {Slot::input, nchw({1, 1, 2, 2})}, Slot::image,
                   {.weight = weight, .bias = bias, .in = 1, .out = 1, .kernel = 2, .height = 7, .width = 7}),
               dnnl::error);
}

}  // namespace
}  // namespace pantanal::onednn
