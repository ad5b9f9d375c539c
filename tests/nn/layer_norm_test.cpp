#include "pantanal/nn/layer_norm.hpp"

#include "nn/fixtures.hpp"

namespace pantanal::nn {
namespace {

TEST(LayerNorm, AgreesWithPyTorch) {
  for_each_case("layer_norm", [](const kernels::KernelTable& table, const FixtureCase& c) {
    const std::size_t features = c.size("features");
    TensorList list;
    LayerNorm::require(list, "", features);
    expect_parameters(std::move(list), c.state);
    AlignedBuffer<float> x = pad(c.input("x"), features);
    LayerNorm(table, c.state, "").run(x.data(), x.size() / row_stride(features), x.data());
    expect_close(unpad(x.span(), features), c.output("y"));
  });
}

}  // namespace
}  // namespace pantanal::nn
