// MbConv's gradients: with and without expansion and skip, each activation.
#include "pantanal/autograd/mbconv.hpp"

#include "autograd/gradient_check.hpp"
#include "autograd/reference_images.hpp"
#include "pantanal/autograd/perch_network.hpp"

namespace pantanal::autograd {
namespace {

using perch::Activation;

void check_block(const perch::Block& block, perch::Extent extent) {
  perch::Architecture architecture;
  architecture.blocks = {block};
  std::vector<TensorSpec> specs;
  for (TensorSpec& spec : perch_parameters(architecture, {.stem = false}))
    if (spec.name.starts_with("blocks.0.")) specs.push_back(std::move(spec));
  ParameterSet p(specs);
  stir(p);
  const std::size_t in = block.in_channels, out = block.out_channels,
                    out_positions = block.depthwise.output(extent).positions();
  check_gradients(
      p, {.in_features = in,
          .out_features = out,
          .reference = [&](const auto& x) { return reference::mbconv(p, x, block, extent, "blocks.0"); },
          .run =
              [&](LayerRun& run) {
                Tape tape;
                MbConv layer(run.table, p, "blocks.0", block, extent);
                layer.plan(tape, run.sequences.count);
                layer.fold(run.team), layer.pack(run.team);
                for (const Pass& pass : run.passes) {
                  const Pass from = at_positions(pass, extent.positions()),
                             to = at_positions(pass, out_positions);
                  layer.forward(pass, rows_of(from, run.x, in), rows_of(to, run.y, out));
                  layer.backward(pass, rows_of(to, run.dy, out), rows_of(from, run.dx, in));
                }
                layer.weight_gradient(run.team, run.x, run.dy, run.sequences.count);
                layer.unfold(run.team);
              },
          .in_pixels = extent.positions(),
          .out_pixels = out_positions,
          .h = 1e-5f});
}

TEST(MbConv, PassesTheGradientCheck) {
  check_block({6,
               18,
               6,
               3,
               true,
               true,
               {3, 1, {1, 1, 1, 1}},
               Activation::swish,
               Activation::swish,
               Activation::swish},
              {4, 3});
  check_block(
      {4, 17, 5, 2, true, false, {5, 2, {1, 2, 2, 2}}, Activation::relu, Activation::swish, Activation::relu},
      {4, 5});
}

TEST(MbConv, PassesTheGradientCheckWithoutExpansion) {
  check_block(
      {7, 7, 7, 2, false, true, {3, 1, {1, 1, 1, 1}}, Activation::swish, Activation::relu, Activation::swish},
      {3, 4});
  check_block({7,
               7,
               4,
               2,
               false,
               false,
               {3, 2, {0, 1, 1, 1}},
               Activation::swish,
               Activation::swish,
               Activation::swish},
              {4, 3});
}

}  // namespace
}  // namespace pantanal::autograd
