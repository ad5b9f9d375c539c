#include "pantanal/nn/temporal_cross_attention.hpp"

#include "nn/fixtures.hpp"

namespace pantanal::nn {
namespace {

TEST(TemporalCrossAttention, AgreesWithPyTorch) {
  for_each_case("temporal_cross_attention", [](const kernels::KernelTable& table, const FixtureCase& c) {
    const std::size_t d = c.size("d_model");
    TensorList list;
    TemporalCrossAttention::require(list, "", d);
    expect_parameters(std::move(list), c.state);
    const TemporalCrossAttention layer(table, c.state, "", d, c.size("heads"));
    const Sequences sequences = c.sequences("x");
    AlignedBuffer<float> x = pad(c.input("x"), d);
    AlignedBuffer<float> scratch(layer.scratch_size(sequences.rows(), sequences.steps));
    layer.run(x.data(), sequences, Scratch(scratch.data()));
    expect_close(unpad(x.span(), d), c.output("y"));
  });
}

}  // namespace
}  // namespace pantanal::nn
