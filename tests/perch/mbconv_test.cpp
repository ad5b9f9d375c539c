// Every block of Perch v2 and of the tiny architecture against its double reference, on every instruction
// set.
#include "pantanal/perch/mbconv.hpp"

#include "pantanal/perch/reference.hpp"
#include "perch/layers_test_support.hpp"
#include "perch/random_model.hpp"

namespace pantanal::perch {
namespace {

AlignedBuffer<float> run(const MbconvLayer& layer, const AlignedBuffer<float>& input, std::size_t threads) {
  const MbconvLayer::ScratchSizes sizes = layer.scratch_sizes();
  AlignedBuffer<float> output(layer.output_size()), depthwise(sizes.depthwise), row_sums(sizes.row_sums);
  AlignedBuffer<std::uint32_t> rounded(sizes.rounded);
  struct Own {
    AlignedBuffer<float> gate, projection, slab, depthwise, row_sums;
  };
  std::vector<Own> members;
  for (std::size_t t = 0; t < threads; ++t)
    members.push_back({AlignedBuffer<float>(sizes.gate), AlignedBuffer<float>(sizes.projection),
                       AlignedBuffer<float>(sizes.slab), AlignedBuffer<float>(sizes.depthwise),
                       AlignedBuffer<float>(sizes.row_sums)});
  parallel_team(threads, [&](const Team& team) {
    Own& own = members[team.rank()];
    layer.run(team, input.data(), output.data(),
              {depthwise.data(), row_sums.data(), own.gate.data(), own.projection.data(), own.slab.data(),
               rounded.data(), own.depthwise.data(), own.row_sums.data()});
  });
  return output;
}

/// In float32 to its rounding; where this CPU has them, in bfloat16 to that of three roundings to 8 bits, and
/// in int8 to the few values that its reference, in double, rounds to another multiple.
void check_blocks(const Architecture& architecture, Precision precision, std::size_t step = 1) {
  const bool bytes = precision == Precision::int8;
  const Model model = fixtures::random_model(architecture, 1),
              rounded = with_dtype(with_dtype(model, Dtype::i8), Dtype::f32);
  const double allowed = precision == Precision::fp32 ? 3e-6 : precision == Precision::bf16 ? 8e-3 : 3e-3;
  const std::vector<Extent> extents = architecture.extents();
  for (std::size_t i = 0; i < architecture.blocks.size(); i += step) {
    const Block& block = architecture.blocks[i];
    const std::vector<float> x = kernels::random_floats(extents[i].positions() * block.in_channels, 9);
    const std::vector<double> expected = reference::detail::block(
        bytes ? rounded : model, i, extents[i], to_double(x), bytes ? reference::round_to_int8 : nullptr);
    for (const kernels::KernelTable* table : kernels::all_tables()) {
      if (!is_supported(precision, table->isa)) continue;
      SCOPED_TRACE(testing::Message() << to_string(table->isa) << ", block " << i);
      const MbconvLayer layer(*table, model, i, extents[i], precision);
      ASSERT_EQ(layer.output_extent(), extents[i + 1]);
      const AlignedBuffer<float> input = padded_pixels(x, block.in_channels);
      const AlignedBuffer<float> one = run(layer, input, 1);
      EXPECT_LT(relative_error(one, expected, block.out_channels), allowed);
      for (const std::size_t threads : {2, 3}) {
        const AlignedBuffer<float> more = run(layer, input, threads);
        EXPECT_TRUE(std::equal(one.data(), one.data() + one.size(), more.data()))
            << threads << " threads give other bits";
      }
    }
  }
}

TEST(MbconvLayer, AgreesWithTheReferenceOnTinyBlocks) {
  check_blocks(fixtures::tiny_architecture(), Precision::fp32);
  check_blocks(fixtures::tiny_architecture(), Precision::bf16);
  check_blocks(fixtures::tiny_architecture(), Precision::int8);
}

/// One block of each of the full model's geometries.
TEST(MbconvLayer, AgreesWithTheReferenceOnPerchBlocks) {
  Architecture architecture = fixtures::perch_v2_architecture(0);
  check_blocks(architecture, Precision::fp32);
  check_blocks(architecture, Precision::int8, 6);
}

}  // namespace
}  // namespace pantanal::perch
