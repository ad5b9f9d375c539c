#include "pantanal/competition/probes_oof.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "competition/small_competition.hpp"
#include "core/refused.hpp"
#include "pantanal/competition/probes.hpp"
#include "pantanal/ml/ranking_metrics.hpp"

namespace pantanal::competition {
namespace {

using pipeline::Scores;

class ProbesTest : public ::testing::Test {
 protected:
  ProbesTest() {
    const Configuration c = small_configuration();
    options_.probe = c.probe;
    options_.mlp = c.mlp;
  }
  ProbeInputs inputs() const { return {perch_.emb, perch_.scores, prior_, perch_.scores}; }

  const SmallCompetition made_ = small_competition();
  const PerchOutputs& perch_ = made_.perch;
  const pipeline::MultiHot& y_ = made_.tables.labels.y_sc;
  const Scores prior_{y_.rows, y_.columns};
  ProbeOptions options_;
};

TEST_F(ProbesTest, AreThoseOfClassesWithEnoughPositives) {
  pipeline::MultiHot y = y_;
  for (std::size_t i = 0; i < y.rows; ++i) {
    y(i, 0) = i < 4;  // too few
    y(i, 1) = 1;      // no negative
    y(i, 2) = i < 5;
  }
  const auto set = fit_probes(inputs(), y, options_);
  ASSERT_TRUE(succeeded(set));
  std::vector<std::size_t> classes;
  for (const Probe& probe : set->probes) classes.push_back(probe.class_index);
  EXPECT_EQ(classes, (std::vector<std::size_t>{2, 3, 4, 5}));
}

TEST_F(ProbesTest, LearnAndBlend) {
  options_.mlp.max_iter = 200;
  options_.mlp.learning_rate_init = 5e-3;
  for (const ProbeBackend backend : {ProbeBackend::mlp, ProbeBackend::logreg})
    for (const Balance balance : {Balance::copies, Balance::weights, Balance::copies_after_split}) {
      options_.probe.backend = backend;
      options_.probe.balance = balance;
      const auto set = fit_probes(inputs(), y_, options_);
      ASSERT_TRUE(succeeded(set));
      const auto scores = probe_scores(*set, inputs(), 1);
      ASSERT_TRUE(succeeded(scores));
      const std::vector<float> truth(y_.values.begin(), y_.values.end());
      EXPECT_GT(ml::macro_auc_or_zero(truth, scores->values, y_.columns),
                ml::macro_auc_or_zero(truth, perch_.scores.values, y_.columns) + 0.02);
    }
}

/// Every copy on the training side: the split and so the score's steps are those of the windows themselves.
TEST_F(ProbesTest, CopiesAfterTheSplitLeaveValidationHonest) {
  options_.mlp.early_stopping = true;
  options_.mlp.validation_score = ValidationScore::log_loss;
  pipeline::MultiHot y(y_.rows, y_.columns);
  for (std::size_t i = 0; i < 6; ++i) y(i * 11, 0) = 1;
  const std::size_t negatives = y.rows - 6, repeat = negatives / 6;
  for (const Balance balance : {Balance::copies, Balance::copies_after_split}) {
    options_.probe.balance = balance;
    const auto set = fit_probes(inputs(), y, options_);
    ASSERT_TRUE(succeeded(set));
    const auto& history = std::get<ml::MlpClassifier<float>>(set->probes.at(0).model).history();
    const std::size_t per_epoch = history.samples_seen / history.iterations;
    // Of 144 windows 22 validate, one positive among them; of 138 + 144 with copies 43 do.
    const std::size_t after = 117 + 5 * (repeat + 1), before = negatives + 6 * (repeat + 1) - 43;
    EXPECT_EQ(per_epoch, balance == Balance::copies ? before : after);
    for (const double score : history.validation_scores) EXPECT_LT(score, 0);
  }
}

TEST_F(ProbesTest, OfAClassThatCannotBeSplitTrainOnAllOfIt) {
  options_.probe.min_pos = 1;
  options_.mlp.early_stopping = true;
  pipeline::MultiHot y(y_.rows, y_.columns);
  y(3, 2) = 1;
  for (const Balance balance : {Balance::weights, Balance::copies_after_split}) {
    options_.probe.balance = balance;
    const auto set = fit_probes(inputs(), y, options_);
    ASSERT_TRUE(succeeded(set));
    EXPECT_TRUE(
        std::get<ml::MlpClassifier<float>>(set->probes.at(0).model).history().validation_scores.empty());
  }
}

TEST_F(ProbesTest, OfBoostedTreesLearnOrSayWhatTheBuildLacks) {
  options_.probe.backend = ProbeBackend::lgbm;
  options_.lgbm.min_child_samples = 5;
  const auto set = fit_probes(inputs(), y_, options_);
  if (!ml::have_lightgbm) {
    EXPECT_TRUE(refused(set, ErrorCode::unsupported, {"PANTANAL_LIGHTGBM=ON"}));
    return;
  }
  ASSERT_TRUE(succeeded(set));
  const auto scores = probe_scores(*set, inputs(), 1);
  ASSERT_TRUE(succeeded(scores));
  const std::vector<float> truth(y_.values.begin(), y_.values.end());
  EXPECT_GT(ml::macro_auc_or_zero(truth, scores->values, y_.columns),
            ml::macro_auc_or_zero(truth, perch_.scores.values, y_.columns) + 0.02);
  options_.threads = 3;
  const auto again = fit_probes(inputs(), y_, options_);
  ASSERT_TRUE(succeeded(again));
  EXPECT_EQ(probe_scores(*again, inputs(), 2)->values, scores->values);
}

TEST_F(ProbesTest, BlendByAlpha) {
  options_.probe.alpha = 0;
  const auto set = fit_probes(inputs(), y_, options_);
  ASSERT_TRUE(succeeded(set));
  EXPECT_EQ(probe_scores(*set, inputs(), 1)->values, perch_.scores.values);
}

TEST_F(ProbesTest, DoNotDependOnThreadsOrOnOtherFiles) {
  const auto one = fit_probes(inputs(), y_, options_);
  options_.threads = 3;
  const auto three = fit_probes(inputs(), y_, options_);
  ASSERT_TRUE(succeeded(one));
  ASSERT_TRUE(succeeded(three));
  const Scores all = *probe_scores(*one, inputs(), 1);
  EXPECT_EQ(all.values, probe_scores(*three, inputs(), 2)->values);
  for (std::size_t first = 0; first < y_.rows; first += pipeline::n_windows_per_file) {
    std::vector<std::size_t> rows(pipeline::n_windows_per_file);
    std::iota(rows.begin(), rows.end(), first);
    const Scores emb = detail::take_rows(perch_.emb, rows), raw = detail::take_rows(perch_.scores, rows),
                 prior = detail::take_rows(prior_, rows);
    EXPECT_EQ(probe_scores(*one, {emb, raw, prior, raw}, 1)->values, detail::take_rows(all, rows).values);
  }
}

TEST_F(ProbesTest, RandomizedComponentsComeFromTheirSeed) {
  options_.probe.pca_solver = PcaMethod::randomized;
  const auto a = fit_probes(inputs(), y_, options_), b = fit_probes(inputs(), y_, options_);
  ASSERT_TRUE(succeeded(a));
  EXPECT_EQ(a->pca.components().values, b->pca.components().values);
}

TEST_F(ProbesTest, StopWhenAsked) {
  options_.should_stop = [] { return true; };
  EXPECT_TRUE(
      refused(fit_probes(inputs(), y_, options_), ErrorCode::invalid_argument, {"a request to stop"}));
}

TEST_F(ProbesTest, OutOfFoldAnswersHaveNotSeenTheirFile) {
  const auto classes =
      pipeline::build_fusion_classes(made_.mapping, made_.tables.texture, pipeline::active_classes(y_));
  ASSERT_TRUE(succeeded(classes));
  const std::vector<int> folds = small_folds(y_.rows, 3);
  const auto honest = run_oof_embedding_probe(perch_, y_, folds, made_.tables.labels, *classes, {}, options_);
  ASSERT_TRUE(succeeded(honest));
  EXPECT_EQ(honest->modeled_counts, std::vector<std::size_t>(y_.columns, 3));
  // Other labels in a fold's own files change nothing of its scores.
  CompetitionTables changed = made_.tables;
  pipeline::MultiHot y = y_;
  for (std::size_t i = 0; i < y.rows; ++i)
    if (folds[i] == 1)
      for (std::size_t c = 0; c < y.columns; ++c) y(i, c) = changed.labels.y_sc(i, c) = 1 - y(i, c);
  const auto again = run_oof_embedding_probe(perch_, y, folds, changed.labels, *classes, {}, options_);
  ASSERT_TRUE(succeeded(again));
  bool others_differ = false;
  for (std::size_t i = 0; i < y.rows; ++i)
    for (std::size_t c = 0; c < y.columns; ++c) {
      if (folds[i] == 1) {
        ASSERT_EQ(honest->scores(i, c), again->scores(i, c)) << i << ", " << c;
      }
      others_differ |= folds[i] != 1 && honest->scores(i, c) != again->scores(i, c);
    }
  EXPECT_TRUE(others_differ);
}

}  // namespace
}  // namespace pantanal::competition
