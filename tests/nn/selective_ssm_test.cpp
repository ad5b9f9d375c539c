#include "pantanal/nn/selective_ssm.hpp"

#include "nn/fixtures.hpp"

namespace pantanal::nn {
namespace {

SelectiveSsmConfig config_of(const FixtureCase& c, SsmForm form) {
  return {c.size("d_model"), c.size("d_state"), c.size("d_conv"), form};
}

TEST(SelectiveSsm, AgreesWithPyTorchInBothFormsAndDirections) {
  for_each_case("selective_ssm", [](const kernels::KernelTable& table, const FixtureCase& c) {
    const Sequences sequences = c.sequences("x");
    for (const auto& [form, prefix] :
         {std::pair{SsmForm::notebook, "notebook_"}, {SsmForm::mamba, "mamba_"}}) {
      const SelectiveSsmConfig config = config_of(c, form);
      TensorList list;
      SelectiveSsm::require(list, "", config);
      expect_parameters(std::move(list), c.state);
      const SelectiveSsm layer(table, c.state, "", config);
      const AlignedBuffer<float> x = pad(c.input("x"), config.d_model);
      AlignedBuffer<float> scratch(layer.scratch_size(sequences.rows()));
      for (const auto& [name, direction] :
           {std::pair{"forwards", Direction::forwards}, {"backwards", Direction::backwards}}) {
        kernels::Guarded y(sequences.rows() * config.d_model);
        layer.run(x.data(), sequences, direction, y.data(), config.d_model, Scratch(scratch.data()));
        const std::string output = std::string(prefix) + name;
        expect_close(std::span(y.data(), y.size()), c.output(output.c_str()), output.c_str());
      }
    }
  });
}

/// z and out_proj are stored, and change nothing in the notebook's form.
TEST(SelectiveSsm, LeavesTheNotebooksDeadParametersOut) {
  const kernels::KernelTable& table = *kernels::all_tables().front();
  for (const FixtureCase& c : load_cases("selective_ssm")) {
    const SelectiveSsmConfig config = config_of(c, SsmForm::notebook);
    const std::size_t d = config.d_model, rows = c.sequences("x").rows();
    const AlignedBuffer<float> x = pad(c.input("x"), d);
    const auto run = [&](const StateDict& state) {
      const SelectiveSsm layer(table, state, "", config);
      AlignedBuffer<float> scratch(layer.scratch_size(rows));
      std::vector<float> y(rows * d);
      layer.run(x.data(), c.sequences("x"), Direction::forwards, y.data(), d, Scratch(scratch.data()));
      return y;
    };
    StateDict other = c.state;
    const std::span<const float> in_proj = tensor_values(c.state, "in_proj.weight");
    std::vector<float> changed(in_proj.begin(), in_proj.end());
    std::fill(changed.begin() + static_cast<std::ptrdiff_t>(d * d), changed.end(), 7.0f);
    const auto size = static_cast<std::int64_t>(d);
    other.at("in_proj.weight") = make_tensor({2 * size, size}, changed);
    other.at("out_proj.weight") = make_tensor({size, size}, std::vector<float>(d * d, 7.0f));
    EXPECT_EQ(run(c.state), run(other));
  }
}

}  // namespace
}  // namespace pantanal::nn
