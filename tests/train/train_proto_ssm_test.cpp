// Trainings from start to end: they learn, repeat themselves to the byte, stop when told, and go on as if
// they had not.
#include "pantanal/train/train_proto_ssm.hpp"

#include <limits>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"
#include "pantanal/heads/proto_ssm.hpp"
#include "train/small_training.hpp"

namespace pantanal::train {
namespace {

Result<TrainedModel> train(const SmallTraining& t, const ProtoSsmData* validation = nullptr) {
  return train_proto_ssm(t.state, t.config, t.data(), validation, t.options);
}

TEST(TrainProtoSsm, Learns) {
  SmallTraining t;
  std::vector<EpochReport> reports;
  t.options.training.n_epochs = 60;
  t.options.training.progress = [&](const EpochReport& r) { reports.push_back(r); };
  const auto model = train(t);
  ASSERT_TRUE(succeeded(model));
  const History& h = model->history;
  ASSERT_EQ(h.train_loss.size(), 60u);
  EXPECT_EQ(h.val_loss, h.train_loss) << "without validation the training loss stands in";
  EXPECT_LT(h.train_loss.back(), 0.7 * h.train_loss.front());
  ASSERT_EQ(reports.size(), 60u);
  EXPECT_EQ(reports[19].epoch, 20u);
  EXPECT_EQ(reports[19].train_loss, h.train_loss[19]);
  EXPECT_EQ(reports[19].lr, h.lr[20]) << "of the next epoch";
  EXPECT_GT(reports[19].eta_seconds, 0);
  EXPECT_EQ(reports.back().eta_seconds, 0);
  EXPECT_EQ(model->swa_count, 60u - 39u) << "from epoch index 39 on";
  auto session = heads::ProtoSsm::create(model->state, t.config, {.threads = 1});
  ASSERT_TRUE(succeeded(session));
  std::vector<float> species(t.labels.size());
  ASSERT_TRUE(
      succeeded(session->run({t.emb, t.logits, {t.site_ids, t.hours}}, t.files, 6, {species, {}, {}})));
  EXPECT_GT(ml::macro_auc_or_zero(t.labels, species, 5), 0.95);
}

TEST(TrainProtoSsm, IsTheSameBytesForItsSeedAndAnyThreads) {
  SmallTraining t;
  const auto one = train(t);
  t.options.training.threads = 1;
  const auto other = train(t);
  ASSERT_TRUE(succeeded(one) && succeeded(other));
  EXPECT_TRUE(same_bytes(one->state, other->state));
  EXPECT_EQ(one->history.train_loss, other->history.train_loss);
  t.options.training.seed = 4;
  const auto seed = train(t);
  ASSERT_TRUE(succeeded(seed));
  EXPECT_FALSE(same_bytes(one->state, seed->state));
}

TEST(TrainProtoSsm, GoesOnFromACheckpoint) {
  const TemporaryFolder folder;
  SmallTraining t;
  t.options.training.ema_decay = 0.5;
  const SmallTraining held(3);
  const ProtoSsmData validation = held.data();
  const auto whole = train(t, &validation);
  std::size_t asked = 0;
  t.options.training.checkpoint = folder.path() / "training.safetensors";
  t.options.training.resume = true;
  t.options.training.should_stop = [&] { return ++asked == 13; };
  const auto stopped = train(t, &validation);
  ASSERT_TRUE(succeeded(stopped));
  EXPECT_TRUE(stopped->interrupted);
  EXPECT_EQ(stopped->history.train_loss.size(), 13u);
  EXPECT_FALSE(same_bytes(stopped->state, whole->state));
  t.options.training.should_stop = {};
  const auto resumed = train(t, &validation);
  ASSERT_TRUE(succeeded(resumed));
  EXPECT_FALSE(resumed->interrupted);
  EXPECT_TRUE(same_bytes(resumed->state, whole->state));
  EXPECT_EQ(resumed->history.train_loss, whole->history.train_loss);
  EXPECT_EQ(resumed->history.val_auc, whole->history.val_auc);
  EXPECT_EQ(resumed->best_val_loss, whole->best_val_loss);
  t.options.training.lr = 1e-3;
  EXPECT_TRUE(
      refused(train(t, &validation), ErrorCode::mismatch, {"training.safetensors", "0.001", "0.005"}));
}

TEST(TrainProtoSsm, KeepsTheBestStateWhenItStops) {
  SmallTraining t;
  t.options.training.swa_start_frac = 1;
  t.options.training.lr = 0.3;  // so that it gets worse
  t.options.training.patience = 4;
  t.options.mixup_alpha = 0;
  const auto model = train(t);
  ASSERT_TRUE(succeeded(model));
  EXPECT_TRUE(model->stopped_early);
  const auto& losses = model->history.train_loss;
  const auto best = std::min_element(losses.begin(), losses.end()) - losses.begin();
  EXPECT_EQ(losses.size(), static_cast<std::size_t>(best) + 5);
  EXPECT_EQ(model->best_val_loss, losses[static_cast<std::size_t>(best)]);
  t.options.training.should_stop = [n = best]() mutable { return n-- == 0; };
  const auto stopped = train(t);
  ASSERT_TRUE(succeeded(stopped));
  EXPECT_TRUE(same_bytes(stopped->state, model->state)) << "the state after the best epoch's step";
}

TEST(TrainProtoSsm, TakesEveryVariant) {
  SmallTraining t;
  t.options.training.schedule = Schedule::cosine_restarts;
  t.options.training.restart_period = 10;
  t.options.loss.species = SpeciesLoss::species_focal;
  t.options.mixing = Mixing::mixup_cutmix;
  const auto model = train(t);
  ASSERT_TRUE(succeeded(model));
  EXPECT_LT(model->history.train_loss.back(), model->history.train_loss.front());
  EXPECT_EQ(model->history.lr[10], t.options.training.lr) << "a restart";
  t.options.loss = {.focal_gamma = 0};
  EXPECT_TRUE(succeeded(train(t)));
}

TEST(TrainProtoSsm, TrainsOnOneFileAndOnClassesWithoutPositives) {
  SmallTraining t(1);
  for (std::size_t i = 0; i < t.labels.size(); i += 5) t.labels[i] = 0;
  const auto model = train(t);
  ASSERT_TRUE(succeeded(model));
  EXPECT_LT(model->history.train_loss.back(), model->history.train_loss.front());
  for (const auto& [name, tensor] : model->state) EXPECT_TRUE(all_finite(tensor.values)) << name;
}

TEST(TrainProtoSsm, RefusesWhatItCannotTrain) {
  SmallTraining t;
  t.emb[24 * 4] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(refused(train(t), ErrorCode::invalid_argument, {"training set.emb, window 4", "NaN"}));
  t = SmallTraining();
  ProtoSsmData empty = t.data();
  empty.files = 0;
  EXPECT_TRUE(refused(train(t, &empty), ErrorCode::invalid_argument, {"validation set", "no files"}));
  t.options.training.n_epochs = 10;
  EXPECT_TRUE(refused(train(t), ErrorCode::invalid_argument, {"a phase of no length"}));
  t.options.training.n_epochs = 0;
  EXPECT_TRUE(refused(train(t), ErrorCode::invalid_argument, {"n_epochs"}));
  t = SmallTraining();
  t.state.erase("proto_temp");
  EXPECT_TRUE(refused(train(t), ErrorCode::not_found, {"proto_temp"}));
  t = SmallTraining();
  t.options.training.lr = 1e38;
  EXPECT_TRUE(refused(train(t), ErrorCode::invalid_argument, {"train_proto_ssm, epoch", "not finite"}));
  t = SmallTraining();
  t.config.form = nn::SsmForm::mamba;
  EXPECT_TRUE(refused(train(t), ErrorCode::unsupported, {"mamba"}));
}

}  // namespace
}  // namespace pantanal::train
