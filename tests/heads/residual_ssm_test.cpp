// ResidualSsm against PyTorch, for any number of threads, and every way to call it wrongly.
#include "pantanal/heads/residual_ssm.hpp"

#include <limits>

#include "heads/random_state.hpp"
#include "nn/fixtures.hpp"

namespace pantanal::heads {
namespace {

using kernels::random_floats;
using nn::FixtureCase;

ResidualSsmConfig residual_config_of(const FixtureCase& c) {
  ResidualSsmConfig config;
  config.d_input = c.size("d_input"), config.d_scores = c.size("d_scores"),
  config.d_model = c.size("d_model");
  config.d_state = c.size("d_state"), config.d_conv = c.size("d_conv"),
  config.n_classes = c.size("n_classes");
  config.n_windows = c.size("n_windows"), config.n_sites = c.size("n_sites"),
  config.meta_dim = c.size("meta_dim");
  if (c.contains("n_ssm_layers")) config.n_ssm_layers = c.size("n_ssm_layers");
  config.clamp_ids = true;
  return config;
}

TEST(ResidualSsm, CountsTheReferencesParameters) {
  ResidualSsmConfig c;
  EXPECT_EQ(parameter_count(c), 439'498u);
  c.n_ssm_layers = 2;
  EXPECT_EQ(parameter_count(c), 617'802u);
}

void expect_pytorchs_corrections(const char* cases) {
  nn::for_each_case(cases, [](const kernels::KernelTable& table, const FixtureCase& c) {
    auto model = ResidualSsm::create(c.state, residual_config_of(c),
                                     {.threads = 1, .rows_per_block = 50, .isa = table.isa});
    ASSERT_TRUE(succeeded(model));
    const std::vector<std::int64_t> sites = c.ids("site_ids"), hours = c.ids("hours");
    std::vector<float> correction(c.output("correction").size());
    ASSERT_TRUE(succeeded(model->run({c.input("emb"), c.input("scores"), {sites, hours}}, c.size("files"),
                                     c.size("steps"), correction)));
    nn::expect_close(correction, c.output("correction"), "residual_ssm correction");
  });
}

TEST(ResidualSsm, AgreesWithPyTorch) { expect_pytorchs_corrections("residual_ssm"); }

TEST(ResidualSsm, AgreesWithPyTorchInSeveralLayers) {
  expect_pytorchs_corrections("several_residual_layers");
}

struct SmallResidual {
  SmallResidual() : state(random_state(required_tensors(config))) {}
  static ResidualSsmConfig make_config() {
    ResidualSsmConfig c;
    c.d_input = 11, c.d_scores = 6, c.d_model = 18, c.d_state = 5, c.n_classes = 7, c.n_sites = 4,
    c.meta_dim = 3;
    return c;
  }
  ResidualSsm::Inputs inputs() const { return {emb, scores, {sites, hours}}; }

  ResidualSsmConfig config = make_config();
  nn::StateDict state;
  static constexpr std::size_t files = 5, steps = 9;
  std::vector<float> emb = random_floats(files * steps * 11, 50),
                     scores = random_floats(files * steps * 6, 51);
  std::vector<std::int64_t> sites{0, 1, 2, 3, 0}, hours{0, 23, 5, 6, 7};
};

TEST(ResidualSsm, IsTheSameBitsForAnyThreadsAndBlocks) {
  const SmallResidual small;
  const std::size_t size = SmallResidual::files * SmallResidual::steps * small.config.n_classes;
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    std::vector<float> expected(size);
    for (const auto& [threads, rows] : {std::pair{1, 96}, {2, 96}, {3, 1}, {16, 20}}) {
      auto model = ResidualSsm::create(
          small.state, small.config,
          {static_cast<std::size_t>(threads), static_cast<std::size_t>(rows), table->isa});
      ASSERT_TRUE(succeeded(model));
      std::vector<float> found(size);
      ASSERT_TRUE(succeeded(model->run(small.inputs(), SmallResidual::files, SmallResidual::steps, found)));
      if (threads == 1) expected = found;
      EXPECT_EQ(found, expected) << to_string(table->isa) << " " << threads << " threads, " << rows
                                 << " rows";
    }
  }
}

/// Beside large inputs, biases and LayerNorm's eps are nothing, and what comes out does not depend on how
/// large they are: also where the variance exceeds float32, and also where the sum does.
TEST(ResidualSsm, GivesForInputsWhoseVarianceOverflowsWhatItGivesForSmallerOnes) {
  const SmallResidual small;
  const auto run = [&](InstructionSet isa, float size) {
    auto model = ResidualSsm::create(small.state, small.config, {.threads = 1, .isa = isa});
    EXPECT_TRUE(succeeded(model));
    std::vector<float> emb = small.emb, scores = small.scores,
                       found(SmallResidual::files * SmallResidual::steps * small.config.n_classes);
    for (float& v : emb) v *= size;
    for (float& v : scores) v *= size;
    EXPECT_TRUE(succeeded(model->run({emb, scores, {small.sites, small.hours}}, SmallResidual::files,
                                     SmallResidual::steps, found)));
    return found;
  };
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    const std::vector<float> expected = run(table->isa, 1e12f);
    for (const float size : {1e19f, 1e25f, 1e36f}) {
      const std::vector<float> found = run(table->isa, size);
      for (std::size_t i = 0; i < expected.size(); ++i)
        ASSERT_NEAR(found[i], expected[i], 1e-4f) << to_string(table->isa) << " x " << size;
    }
  }
}

TEST(ResidualSsm, NamesWhatIsWrong) {
  const SmallResidual small;
  auto model = ResidualSsm::create(small.state, small.config, {.threads = 1});
  ASSERT_TRUE(succeeded(model));
  std::vector<float> correction(SmallResidual::files * SmallResidual::steps * small.config.n_classes),
      bad = small.scores;
  const auto run = [&](auto change) {
    ResidualSsm::Inputs in = small.inputs();
    change(in);
    return model->run(in, SmallResidual::files, SmallResidual::steps, correction);
  };
  using In = ResidualSsm::Inputs&;
  constexpr auto code = ErrorCode::invalid_argument;
  const std::vector<std::int64_t> far{0, 1, 4, 3, 0}, late{0, 23, 5, 24, 7};
  EXPECT_TRUE(
      refused(run([&](In in) { in.meta.site_ids = far; }), code, {"ResidualSsm.site_ids[2]", "4", "0 to 3"}));
  EXPECT_TRUE(refused(run([&](In in) { in.meta.hours = late; }), code, {"ResidualSsm.hours[3]", "24"}));
  EXPECT_TRUE(refused(run([&](In in) { in.meta.site_ids = {}; }), code, {"ResidualSsm.site_ids", "0 ids"}));
  EXPECT_TRUE(refused(run([&](In in) { in.first_pass_scores = {}; }), code, {"first_pass_scores", "45 x 6"}));
  bad[13] = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(
      refused(run([&](In in) { in.first_pass_scores = bad; }), code, {"first_pass_scores, window 2", "NaN"}));
  EXPECT_TRUE(
      refused(model->run(small.inputs(), SmallResidual::files, 13, correction), code, {"13 windows"}));
  EXPECT_TRUE(refused(model->run(small.inputs(), SmallResidual::files, SmallResidual::steps, {}), code,
                      {"correction", "45 x 7"}));
  nn::StateDict state = small.state;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  state.at("output_head.bias") = make_tensor({7}, std::vector<float>(7, nan));
  EXPECT_TRUE(refused(ResidualSsm::create(state, small.config), ErrorCode::corrupt,
                      {"ResidualSsm: output_head.bias", "NaN or infinity"}));
  state.at("output_head.bias") = make_tensor({6}, std::vector<float>(6));
  EXPECT_TRUE(refused(ResidualSsm::create(state, small.config), ErrorCode::mismatch,
                      {"output_head.bias", "[6]", "[7]"}));
  state.erase("output_head.bias");
  EXPECT_TRUE(refused(ResidualSsm::create(state, small.config), ErrorCode::not_found, {"output_head.bias"}));
  ResidualSsmConfig config = small.config;
  config.d_scores = 0;
  EXPECT_TRUE(refused(ResidualSsm::create(small.state, config), code, {"ResidualSsmConfig.d_scores"}));
  config = small.config, config.n_ssm_layers = 0;
  EXPECT_TRUE(refused(ResidualSsm::create(small.state, config), code, {"ResidualSsmConfig.n_ssm_layers"}));
  config.n_ssm_layers = 2;
  EXPECT_TRUE(refused(ResidualSsm::create(small.state, config), ErrorCode::not_found, {"ssm_fwd.0"}));
}

}  // namespace
}  // namespace pantanal::heads
