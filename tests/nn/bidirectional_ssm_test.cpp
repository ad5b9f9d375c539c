#include "pantanal/nn/bidirectional_ssm.hpp"

#include "nn/fixtures.hpp"

namespace pantanal::nn {
namespace {

StateDict random_state(const SelectiveSsmConfig& config) {
  TensorList list;
  BidirectionalSsm::require(list, ".3", config);
  StateDict state;
  unsigned seed = 0;
  for (const TensorSpec& spec : std::move(list).take())
    state.emplace(spec.name, make_tensor(spec.shape, kernels::random_floats(
                                                         static_cast<std::size_t>(*element_count(spec.shape)),
                                                         ++seed, 0.3f)));
  return state;
}

/// Against its parts, run one after the other on sequences that are really flipped.
TEST(BidirectionalSsm, IsItsParts) {
  const SelectiveSsmConfig config{13, 4, 4};
  const StateDict state = random_state(config);
  const Sequences sequences{2, 7};
  const std::size_t d = config.d_model, rows = sequences.rows();
  const std::vector<float> input = kernels::random_floats(rows * d, 99);
  std::vector<float> flipped(input.size());
  const auto flip = [&](const std::vector<float>& x, std::vector<float>& y) {
    for (std::size_t r = 0; r < rows; ++r)
      std::copy_n(x.data() + r * d, d, y.data() + (r / 7 * 7 + 6 - r % 7) * d);
  };
  flip(input, flipped);
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    const auto run = [&](const char* name, const std::vector<float>& x) {
      const SelectiveSsm layer(*table, state, name, config);
      AlignedBuffer<float> scratch(layer.scratch_size(rows));
      std::vector<float> y(rows * d);
      layer.run(pad(x, d).data(), sequences, Direction::forwards, y.data(), d, Scratch(scratch.data()));
      return y;
    };
    const std::vector<float> fwd = run("ssm_fwd.3", input), turned = run("ssm_bwd.3", flipped);
    std::vector<float> bwd(turned.size()), both;
    flip(turned, bwd);
    for (std::size_t r = 0; r < rows; ++r) {
      both.insert(both.end(), fwd.data() + r * d, fwd.data() + (r + 1) * d);
      both.insert(both.end(), bwd.data() + r * d, bwd.data() + (r + 1) * d);
    }
    AlignedBuffer<float> expected = pad(input, d), found = pad(input, d);
    Linear(*table, state, "ssm_merge.3", 2 * d, d)
        .run(both.data(), 2 * d, rows, expected.data(), expected.data());
    LayerNorm(*table, state, "ssm_norm.3").run(expected.data(), rows, expected.data());
    const BidirectionalSsm layer(*table, state, ".3", config);
    AlignedBuffer<float> scratch(layer.scratch_size(rows));
    layer.run(found.data(), sequences, Scratch(scratch.data()));
    EXPECT_EQ(unpad(found.span(), d), unpad(expected.span(), d)) << to_string(table->isa);
  }
}

}  // namespace
}  // namespace pantanal::nn
