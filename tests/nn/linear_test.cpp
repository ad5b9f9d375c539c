#include "pantanal/nn/linear.hpp"

#include "nn/fixtures.hpp"

namespace pantanal::nn {
namespace {

TEST(Linear, AgreesWithPyTorch) {
  for_each_case("linear", [](const kernels::KernelTable& table, const FixtureCase& c) {
    const std::size_t in = c.size("in_features"), out = c.size("out_features");
    TensorList list;
    Linear::require(list, "", in, out, c.flag("bias"));
    expect_parameters(std::move(list), c.state);
    const Linear layer(table, c.state, "", in, out);
    const std::size_t rows = c.input("x").size() / in;
    AlignedBuffer<float> y(rows * layer.output_stride());
    layer.run(c.input("x").data(), in, rows, y.data());
    expect_close(unpad(y.span(), out), c.output("y"));
  });
}

TEST(Linear, AddsAResidualInPlace) {
  const kernels::KernelTable& table = *kernels::all_tables().front();
  const std::vector<float> weight{2, 0, 0, 3}, bias{1, -1}, x{10, 20};
  const Linear layer(table, weight, bias, 2, 2);
  AlignedBuffer<float> y(layer.output_stride());
  y[0] = 0.5f, y[1] = 0.25f;
  layer.run(x.data(), 2, 1, y.data(), y.data());
  EXPECT_EQ(y[0], 21.5f);
  EXPECT_EQ(y[1], 59.25f);
  EXPECT_EQ(y[2], 0.0f);
}

}  // namespace
}  // namespace pantanal::nn
