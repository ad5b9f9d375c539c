// PerchNetwork's gradients against PyTorch's, from end to end, and its parts against the whole.
#include "pantanal/autograd/perch_network.hpp"

#include <cmath>

#include "kernels/guarded.hpp"
#include "pantanal/perch/architecture_json.hpp"
#include "train/fixture.hpp"

namespace pantanal::autograd {
namespace {

/// The reduced Perch of tools/fixtures/make_perch_gradients.py, its batch and what PyTorch finds.
struct PerchFixture : train::Fixture {
  PerchFixture() : Fixture("perch_gradients") {
    auto parsed = perch::parse_architecture(numbers["architecture"].get<std::string>());
    EXPECT_TRUE(succeeded(parsed));
    architecture = *std::move(parsed);
    images = numbers["files"];
  }

  void load(ParameterSet& parameters) const {
    for (const TensorSpec& spec : parameters.specs()) {
      const auto value = (*this)["value." + spec.name];
      ASSERT_EQ(value.size(), parameters[spec.name].value.size()) << spec.name;
      std::copy(value.begin(), value.end(), parameters[spec.name].value.begin());
    }
  }

  perch::Architecture architecture;
  std::size_t images = 0;
};

/// One batch through the network: the logits, and the gradients of the mean BCE in its parameters.
std::vector<float> backpropagate_batch(PerchNetwork& network, const kernels::KernelTable& table,
                                       std::span<const float> inputs, std::span<const float> targets) {
  const std::size_t classes = network.classes(), images = targets.size() / classes;
  AlignedBuffer<float> scratch(network.scratch_size());
  std::vector<float> logits(targets.size()), dlogits(targets.size());
  network.plan(images), network.pack(Team());
  for (std::size_t first = 0; first < images;) {  // passes of unequal sizes
    const std::size_t end = std::min(images, 2 * first + 1);
    const Pass pass{
        .table = &table, .files = {first, end}, .steps = 1, .scratch = nn::Scratch(scratch.data())};
    network.forward(pass, inputs.data() + first * network.input_floats(), logits.data() + first * classes);
    for (std::size_t i = first * classes; i < end * classes; ++i)
      dlogits[i] = static_cast<float>((1 / (1 + std::exp(-double{logits[i]})) - double{targets[i]}) /
                                      static_cast<double>(targets.size()));
    network.backward(pass, dlogits.data() + first * classes);
    first = end;
  }
  network.weight_gradient(Team(), dlogits.data(), images);
  return logits;
}

/// ‖found - expected‖/‖expected‖.
double gradient_distance(std::span<const float> found, std::span<const float> expected) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    difference += std::pow(double{found[i]} - double{expected[i]}, 2);
    norm += std::pow(double{expected[i]}, 2);
  }
  return std::sqrt(difference / std::max(norm, 1e-30));
}

TEST(PerchNetwork, HasPyTorchsGradients) {
  const PerchFixture fixture;
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    SCOPED_TRACE(to_string(table->isa));
    PerchNetwork network(*table, fixture.architecture, {});
    fixture.load(network.parameters());
    const auto logits = backpropagate_batch(network, *table, fixture["spectrograms"], fixture["targets"]);
    EXPECT_LT(gradient_distance(logits, fixture["logits"]), 1e-5);
    double worst = 0;
    for (const TensorSpec& spec : network.parameters().specs()) {
      const double found =
          gradient_distance(network.parameters()[spec.name].gradient, fixture["gradient." + spec.name]);
      EXPECT_LT(found, 1e-4) << spec.name;
      worst = std::max(worst, found);
    }
    RecordProperty(std::string("worst_") + to_string(table->isa), std::to_string(worst));
  }
}

/// What follows the frozen blocks has, on their output, the gradients that it has in the whole network.
TEST(PerchNetwork, TrainsItsLastBlocksAlone) {
  const PerchFixture fixture;
  const auto& table = kernels::table(best_instruction_set());
  PerchNetwork whole(table, fixture.architecture, {}), last(table, fixture.architecture, {false, 3});
  fixture.load(whole.parameters()), fixture.load(last.parameters());
  backpropagate_batch(whole, table, fixture["spectrograms"], fixture["targets"]);

  // The frozen part, by a network of its own: what its blocks 0 to 2 give is what the others are given.
  perch::Architecture prefix = fixture.architecture;
  prefix.blocks.resize(3);
  ParameterSet parameters(perch_parameters(fixture.architecture, {}));
  fixture.load(parameters);
  const auto extents = fixture.architecture.extents();
  Tape tape;
  AlignedBuffer<float> scratch(whole.scratch_size());
  const Pass pass{
      .table = &table, .files = {0, fixture.images}, .steps = 1, .scratch = nn::Scratch(scratch.data())};
  StemConv stem(table, parameters, prefix.stem, prefix.spectrogram_extent());
  Slot x = stem.output().take(tape, fixture.images);
  stem.plan(tape, fixture.images), stem.fold(Team()), stem.pack(Team());
  stem.forward(pass, fixture["spectrograms"].data(), x.data);
  for (std::size_t i = 0; i < 3; ++i) {
    MbConv block(table, parameters, "blocks." + std::to_string(i), prefix.blocks[i], extents[i]);
    block.plan(tape, fixture.images), block.fold(Team()), block.pack(Team());
    const Slot y = block.output().take(tape, fixture.images);
    block.forward(pass, x.data, y.data);
    x = y;
  }
  const std::size_t channels = prefix.blocks.back().out_channels;
  std::vector<float> images(fixture.images * last.input_floats());
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = x.row(i / channels)[i % channels];

  backpropagate_batch(last, table, images, fixture["targets"]);
  for (const TensorSpec& spec : last.parameters().specs())
    EXPECT_LT(
        gradient_distance(last.parameters()[spec.name].gradient, whole.parameters()[spec.name].gradient),
        1e-6)
        << spec.name;
  EXPECT_EQ(perch_parameters(fixture.architecture, {false, 5}).front().name, "head.weight");
}

}  // namespace
}  // namespace pantanal::autograd
