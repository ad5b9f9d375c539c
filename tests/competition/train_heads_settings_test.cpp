#include "pantanal/competition/train_heads.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "competition/small_competition.hpp"
#include "core/refused.hpp"

namespace pantanal::competition {
namespace {

class TrainHeadsTest : public ::testing::Test {
 protected:
  Result<TrainedHeads> train() const {
    return train_heads(made_.tables, made_.perch, made_.mapping, 17, options_);
  }

  SmallCompetition made_ = small_competition();
  TrainHeadsOptions options_{.configuration = small_configuration(), .with_studies = true};
};

bool same(const nn::StateDict& a, const nn::StateDict& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return x.first == y.first && std::ranges::equal(x.second.values, y.second.values);
  });
}

TEST_F(TrainHeadsTest, TrainsEveryPart) {
  const auto trained = train();
  ASSERT_TRUE(succeeded(trained));
  const HeadsBundle& b = trained->bundle;
  EXPECT_EQ(b.classes, made_.tables.classes);
  EXPECT_EQ(b.priors.site.size(), 3u);
  EXPECT_EQ(b.sites.size(), 3u);
  EXPECT_EQ(b.probes.probes.size(), 6u);
  EXPECT_TRUE(b.residual);
  EXPECT_EQ(b.perch_labels_crc, 17u);
  EXPECT_EQ(trained->log.ensemble_search.size(), 21u);
  EXPECT_EQ(trained->log.counts.at("files"), 12u);
  const auto& scores = trained->log.scores;
  EXPECT_GE(scores.at("oof_auc_ensemble"), std::max(scores.at("oof_auc_mlp"), scores.at("oof_auc_proto")));
  EXPECT_GT(scores.at("oof_auc_mlp"), 0.6);
}

TEST_F(TrainHeadsTest, DoesNotDependOnThreads) {
  options_.threads = 1;
  const auto one = train();
  options_.threads = 3;
  const auto three = train();
  ASSERT_TRUE(succeeded(one));
  ASSERT_TRUE(succeeded(three));
  EXPECT_TRUE(same(one->bundle.proto, three->bundle.proto));
  EXPECT_TRUE(same(one->bundle.residual->state, three->bundle.residual->state));
  EXPECT_EQ(one->bundle.thresholds, three->bundle.thresholds);
  EXPECT_EQ(one->log.ensemble_search, three->log.ensemble_search);
}

TEST_F(TrainHeadsTest, SubmitModeStudiesNothing) {
  options_.with_studies = false;
  options_.configuration.ensemble_weight = 0.3;
  const auto trained = train();
  ASSERT_TRUE(succeeded(trained));
  EXPECT_EQ(trained->bundle.ensemble_weight, 0.3);
  EXPECT_EQ(trained->bundle.thresholds, std::vector<float>(6, 0.5f));
  EXPECT_FALSE(trained->log.scores.contains("oof_auc_proto"));
}

TEST_F(TrainHeadsTest, EverySwitchTrains) {
  Configuration& c = options_.configuration;
  c.proto_ssm_train.mixing = MixingMethod::mixup_cutmix;
  c.proto_ssm_train.loss = LossMethod::species_focal;
  c.proto_ssm_train.scheduler = Scheduler::cosine_restarts;
  c.study = preset("v5-run")->study;
  c.study.run_probe_check = c.study.run_probe_grid = true;
  c.study.probe_grid = {{3, 5, 1, 0.5}, {4, 5, 1, 0}};
  c.study.threshold_scores = ThresholdScores::isotonic;
  c.probe.backend = ProbeBackend::logreg;
  const auto trained = train();
  ASSERT_TRUE(succeeded(trained));
  ASSERT_EQ(trained->log.probe_grid.size(), 2u);
  EXPECT_GT(trained->log.probe_grid[0].second, trained->log.probe_grid[1].second);
  EXPECT_EQ(trained->bundle.configuration.probe.pca_dim, 3u);
  EXPECT_TRUE(trained->log.scores.contains("oof_auc_probe_check"));
  EXPECT_TRUE(
      std::ranges::all_of(trained->bundle.thresholds, [](float t) { return t >= 0.25f && t <= 0.7f; }));
}

TEST_F(TrainHeadsTest, LeavesTheResidualModelOutWhereTimeHasPassed) {
  options_.with_studies = false;
  options_.configuration.residual_ssm.skip_after_s = 240;
  options_.start = std::chrono::steady_clock::now() - std::chrono::minutes(5);
  const auto late = train();
  ASSERT_TRUE(succeeded(late));
  EXPECT_FALSE(late->bundle.residual);
  ASSERT_EQ(late->log.notes.size(), 1u);
  options_.configuration.residual_ssm.skip_after_s = 0;
  EXPECT_TRUE(train()->bundle.residual);
}

TEST_F(TrainHeadsTest, RefusesWhatDoesNotFit) {
  options_.configuration.proto_ssm.cross_attn_heads = 3;
  EXPECT_TRUE(refused(train(), ErrorCode::invalid_argument, {"cross_attn_heads"}));
  options_.configuration = small_configuration();
  made_.perch.meta[3].row_id = "unknown_5";
  EXPECT_TRUE(refused(train(), ErrorCode::not_found, {"unknown_5"}));
  made_.perch.scores.columns = 7;
  EXPECT_TRUE(refused(train(), ErrorCode::mismatch, {"Perch outputs"}));
}

TEST_F(TrainHeadsTest, EndsWhenItIsAskedTo) {
  int asked = 0;
  options_.should_stop = [&] { return ++asked > 2; };
  EXPECT_TRUE(refused(train(), ErrorCode::invalid_argument, {"a request to stop"}));
}

}  // namespace
}  // namespace pantanal::competition
