#include "pantanal/nn/causal_conv1d.hpp"

#include "nn/fixtures.hpp"

namespace pantanal::nn {
namespace {

TEST(CausalConv1d, AgreesWithPyTorchInBothDirections) {
  for_each_case("causal_conv1d", [](const kernels::KernelTable& table, const FixtureCase& c) {
    const std::size_t channels = c.size("channels"), kernel = c.size("kernel");
    TensorList list;
    CausalConv1d::require(list, "", channels, kernel);
    expect_parameters(std::move(list), c.state);
    const CausalConv1d layer(table, c.state, "", channels, kernel);
    const AlignedBuffer<float> x = pad(c.input("x"), channels);
    AlignedBuffer<float> y(x.size());
    for (const auto& [name, direction] :
         {std::pair{"forwards", Direction::forwards}, {"backwards", Direction::backwards}}) {
      layer.run(x.data(), c.sequences("x"), direction, kernels::Activation::none, y.data());
      expect_close(unpad(y.span(), channels), c.output(name), name);
    }
  });
}

}  // namespace
}  // namespace pantanal::nn
