// The stem's gradients by its weight, scale and bias.
#include "pantanal/autograd/stem.hpp"

#include "autograd/gradient_check.hpp"
#include "autograd/reference_images.hpp"

namespace pantanal::autograd {
namespace {

TEST(StemConv, PassesTheGradientCheck) {
  constexpr perch::Extent extent{7, 8};
  for (const perch::Stem& stem : {perch::Stem{{3, 2, {}}, 17, perch::Activation::swish},
                                  perch::Stem{{5, 2, {1, 2, 2, 2}}, 5, perch::Activation::relu}}) {
    const auto k = static_cast<std::int64_t>(stem.conv.kernel), c = static_cast<std::int64_t>(stem.channels);
    ParameterSet p({{"stem.weight", {c, 1, k, k}}, {"stem.scale", {c}}, {"stem.bias", {c}}});
    stir(p);
    const std::size_t out = stem.conv.output(extent).positions();
    check_gradients(p, {.in_features = 1,
                        .out_features = stem.channels,
                        .reference =
                            [&](const auto& x) {
                              return reference::activate(
                                  stem.activation, reference::depthwise(p, x, extent, stem.conv, "stem"));
                            },
                        .run =
                            [&](LayerRun& run) {
                              Tape tape;
                              StemConv layer(run.table, p, stem, extent);
                              layer.plan(tape, run.sequences.count);
                              layer.fold(run.team), layer.pack(run.team);
                              const std::vector<float> x =
                                  unpad(run.x, run.sequences.count * extent.positions(),
                                        1);  // spectrograms are dense
                              for (const Pass& pass : run.passes) {
                                const Pass to = at_positions(pass, out);
                                layer.forward(pass, x.data() + pass.files.begin * extent.positions(),
                                              rows_of(to, run.y, stem.channels));
                                layer.backward(pass, rows_of(to, run.dy, stem.channels));
                              }
                              layer.weight_gradient(run.team, run.sequences.count);
                              layer.unfold(run.team);
                            },
                        .input_gradient = false,
                        .in_pixels = extent.positions(),
                        .out_pixels = out});
  }
}

}  // namespace
}  // namespace pantanal::autograd
