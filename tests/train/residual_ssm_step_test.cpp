// ResidualSSM's gradients and twenty optimiser steps against PyTorch's, on every instruction set and any
// team.
#include "pantanal/train/residual_ssm_step.hpp"

#include <limits>

#include "kernels/guarded.hpp"
#include "pantanal/train/train_residual_ssm.hpp"
#include "train/training_fixture.hpp"

namespace pantanal::train {
namespace {

struct ResidualTraining : TrainingFixture {
  explicit ResidualTraining(const char* file = "training")
      : TrainingFixture(file), kind(numbers["residual"]) {
    const auto& c = kind["config"];
    residual.d_input = c["d_input"], residual.d_scores = c["d_scores"], residual.d_model = c["d_model"];
    residual.d_state = c["d_state"], residual.n_classes = c["n_classes"], residual.n_windows = c["n_windows"];
    residual.n_sites = c["n_sites"], residual.meta_dim = c["meta_dim"];
    residual.n_ssm_layers = c["n_ssm_layers"];
    target = first_pass_residuals((*this)["labels"], (*this)["logits"]);
  }
  ResidualSsmData data() const {
    return {(*this)["emb"], (*this)["logits"], target, site_ids, hours, files, residual.n_windows};
  }
  nlohmann::json kind;
  heads::ResidualSsmConfig residual;
  std::vector<float> target;
};

void expect_pytorchs_residual_training(const char* file) {
  const ResidualTraining t(file);
  EXPECT_TRUE(succeeded(validate(t.data(), t.residual, "data")));
  const auto schedule = OneCycleLr::create({.max_lr = 8e-4, .total_steps = 80});
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    SCOPED_TRACE(to_string(table->isa));
    ResidualSsmStep step(t.residual, t.data(), {.dropout = 0, .threads = 2, .isa = table->isa});
    autograd::ParameterSet& parameters = step.model().parameters();
    ASSERT_TRUE(succeeded(parameters.load(t.state("residual.start"))));
    const double first = step.gradients(0);
    EXPECT_NEAR(first, double{t.kind["losses"][0]}, 1e-5 * first);
    EXPECT_NEAR(step.evaluate(t.data()), first, 1e-6 * first);
    expect_states_close(parameters.state_dict(parameters.gradients()), t.state("residual.gradient"), 1e-4,
                        "gradient");
    for (std::size_t i = 0; i < t.kind["losses"].size(); ++i) {
      const double loss = step.step(static_cast<std::uint32_t>(i), schedule->at(i));
      EXPECT_NEAR(loss, double{t.kind["losses"][i]}, 1e-4 * loss) << "step " << i;
    }
    expect_states_close(parameters.state_dict(), t.state("residual.end"), 1e-3, "weights");
  }
}

TEST(ResidualSsmTraining, AgreesWithPyTorch) { expect_pytorchs_residual_training("training"); }

TEST(ResidualSsmTraining, AgreesWithPyTorchInSeveralLayers) { expect_pytorchs_residual_training("several"); }

TEST(ResidualSsmStep, IsTheSameForAnyTeam) {
  const ResidualTraining t;
  std::vector<float> expected;
  for (const std::size_t threads : {1, 2, 5}) {
    ResidualSsmStep step(t.residual, t.data(), {.dropout = 0.3f, .seed = 5, .threads = threads});
    ASSERT_TRUE(succeeded(step.model().parameters().load(t.state("residual.start"))));
    for (std::uint32_t epoch = 0; epoch < 2; ++epoch) step.step(epoch, {.lr = 1e-3});
    const auto values = step.model().parameters().values();
    if (threads == 1) expected.assign(values.begin(), values.end());
    EXPECT_TRUE(std::equal(values.begin(), values.end(), expected.begin())) << threads << " threads";
  }
}

TEST(ValidateResidualSsmData, NamesWhatIsWrong) {
  const ResidualTraining t;
  ResidualSsmData d = t.data();
  std::vector<float> scores(t["logits"].begin(), t["logits"].end());
  d.first_pass_scores = scores, scores[0] = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(refused(validate(d, t.residual, "data"), ErrorCode::invalid_argument,
                      {"data.first_pass_scores, window 0"}));
  d = t.data(), d.residuals = d.residuals.first(3);
  EXPECT_TRUE(
      refused(validate(d, t.residual, "data"), ErrorCode::invalid_argument, {"data.residuals", "3 floats"}));
  d = t.data(), d.files = 0;
  EXPECT_TRUE(refused(validate(d, t.residual, "data"), ErrorCode::invalid_argument, {"no files"}));
}

}  // namespace
}  // namespace pantanal::train
