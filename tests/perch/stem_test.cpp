// The stem against its double reference.
#include "pantanal/perch/stem.hpp"

#include "pantanal/perch/reference.hpp"
#include "perch/layers_test_support.hpp"
#include "perch/random_model.hpp"

namespace pantanal::perch {
namespace {

void check(const Architecture& architecture) {
  const Model model = fixtures::random_model(architecture, 1);
  const std::vector<float> x = kernels::random_floats(architecture.spectrogram_extent().positions(), 9);
  const std::vector<double> expected = reference::detail::stem(model, to_double(x));
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    const StemLayer layer(*table, model);
    AlignedBuffer<float> output(layer.output_size());
    AlignedBuffer<float> scratch[2] = {AlignedBuffer<float>(layer.scratch_size()),
                                       AlignedBuffer<float>(layer.scratch_size())};
    parallel_team(
        2, [&](const Team& team) { layer.run(team, x.data(), output.data(), scratch[team.rank()].data()); });
    EXPECT_LT(relative_error(output, expected, architecture.stem.channels), 1e-6) << to_string(table->isa);
  }
}

TEST(StemLayer, AgreesWithTheReference) {
  check(fixtures::tiny_architecture());
  check(fixtures::perch_v2_architecture(0));
}

TEST(StemLayer, HonoursPads) {
  Architecture architecture = fixtures::tiny_architecture();
  architecture.stem.conv.pads = {1, 0, 2, 1};
  architecture.blocks.clear();
  check(architecture);
}

}  // namespace
}  // namespace pantanal::perch
