#include "pantanal/nn/multihead_attention.hpp"

#include "nn/fixtures.hpp"

namespace pantanal::nn {
namespace {

TEST(MultiheadAttention, AgreesWithPyTorch) {
  for_each_case("multihead_attention", [](const kernels::KernelTable& table, const FixtureCase& c) {
    const std::size_t d = c.size("d_model");
    TensorList list;
    MultiheadAttention::require(list, "", d);
    expect_parameters(std::move(list), c.state);
    const MultiheadAttention layer(table, c.state, "", d, c.size("heads"));
    const Sequences sequences = c.sequences("x");
    const AlignedBuffer<float> x = pad(c.input("x"), d);
    AlignedBuffer<float> y(x.size()), scratch(layer.scratch_size(sequences.rows(), sequences.steps));
    layer.run(x.data(), sequences, y.data(), nullptr, Scratch(scratch.data()));
    expect_close(unpad(y.span(), d), c.output("y"));
  });
}

}  // namespace
}  // namespace pantanal::nn
