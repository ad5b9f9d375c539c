#include "pantanal/nn/feed_forward.hpp"

#include "nn/fixtures.hpp"

namespace pantanal::nn {
namespace {

TEST(FeedForward, AgreesWithPyTorch) {
  for_each_case("feed_forward", [](const kernels::KernelTable& table, const FixtureCase& c) {
    const std::size_t d = c.size("d_model"), hidden = c.size("hidden"), rows = c.input("x").size() / d;
    TensorList list;
    FeedForward::require(list, "", d, hidden);
    expect_parameters(std::move(list), c.state);
    const FeedForward layer(table, c.state, "", d, hidden);
    const AlignedBuffer<float> x = pad(c.input("x"), d);
    AlignedBuffer<float> y(x.size()), scratch(layer.scratch_size(rows));
    layer.run(x.data(), rows, y.data(), nullptr, Scratch(scratch.data()));
    expect_close(unpad(y.span(), d), c.output("y"));
  });
}

}  // namespace
}  // namespace pantanal::nn
