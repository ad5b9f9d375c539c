// Training a ResidualSSM: its split is PyTorch's, it learns, and what it refuses.
#include "pantanal/train/train_residual_ssm.hpp"

#include "train/fixture.hpp"
#include "train/small_training.hpp"

namespace pantanal::train {
namespace {

TEST(TorchRandperm, AgreesWithPyTorch) {
  EXPECT_EQ(torch_randperm(59, 123),
            Fixture("optimisation").numbers["randperm"].get<std::vector<std::size_t>>());
}

struct SmallResidual : SmallTraining {
  explicit SmallResidual(std::size_t file_count = 12) : SmallTraining(file_count) {
    residual.d_input = 24, residual.d_scores = 5, residual.d_model = 16, residual.d_state = 3,
    residual.n_classes = 5;
    residual.n_windows = 6, residual.n_sites = 4, residual.meta_dim = 3;
    target = first_pass_residuals(labels, logits);
    start = initial_state(heads::required_tensors(residual), 7);
    training.training.n_epochs = 30, training.training.lr = 5e-3, training.training.threads = 2;
  }
  ResidualSsmData data() const { return {emb, logits, target, site_ids, hours, files, 6}; }
  Result<TrainedModel> train() const { return train_residual_ssm(start, residual, data(), training); }

  heads::ResidualSsmConfig residual;
  std::vector<float> target;
  nn::StateDict start;
  ResidualSsmTraining training;
};

TEST(TrainResidualSsm, LearnsTheSameForAnyThreads) {
  SmallResidual t;
  const auto model = t.train();
  ASSERT_TRUE(succeeded(model));
  EXPECT_LT(model->history.train_loss.back(), 0.8 * model->history.train_loss.front());
  EXPECT_EQ(model->swa_count, 0u) << "the best state, not an average";
  EXPECT_EQ(model->best_val_loss,
            *std::min_element(model->history.val_loss.begin(), model->history.val_loss.end()));
  t.training.training.threads = 1;
  const auto other = t.train();
  ASSERT_TRUE(succeeded(other));
  EXPECT_TRUE(same_bytes(model->state, other->state));
}

TEST(TrainResidualSsm, ClampsIdsWhereAsked) {
  SmallResidual t;
  t.site_ids[0] = 99, t.hours[1] = -1;
  EXPECT_TRUE(refused(t.train(), ErrorCode::invalid_argument, {"site_ids[0]", "99"}));
  t.residual.clamp_ids = true;
  EXPECT_TRUE(succeeded(t.train()));
}

TEST(TrainResidualSsm, NeedsTwoFiles) {
  EXPECT_TRUE(
      refused(SmallResidual(1).train(), ErrorCode::invalid_argument, {"1 files", "1 to validate on"}));
  EXPECT_TRUE(succeeded(SmallResidual(2).train()));
}

TEST(FirstPassResiduals, AreProbabilities) {
  const auto r = first_pass_residuals(std::vector<float>{1, 0, 1}, std::vector<float>{0, 1e4f, -1e4f});
  EXPECT_EQ(r, (std::vector<float>{0.5f, -1.0f, 1.0f}));
}

}  // namespace
}  // namespace pantanal::train
