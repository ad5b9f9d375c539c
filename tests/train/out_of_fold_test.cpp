// Out-of-fold predictions: every file by a model that has not seen its group.
#include "pantanal/train/out_of_fold.hpp"

#include "core/refused.hpp"
#include "train/fixture.hpp"
#include "train/small_training.hpp"

namespace pantanal::train {
namespace {

OutOfFoldOptions options_of(const SmallTraining& t) {
  OutOfFoldOptions o;
  o.training = t.options;
  o.training.training.n_epochs = 40;
  return o;
}

ProtoSsmData with_families(const SmallTraining& t) {
  ProtoSsmData d = t.data();
  d.families = t.families;
  return d;
}

TEST(OutOfFold, PredictsEveryFileUnseen) {
  SmallTraining t(16);
  OutOfFoldOptions o = options_of(t);
  std::vector<std::size_t> sizes;
  o.begin_fold = [&](std::size_t, std::size_t n_splits, std::size_t train_files, std::size_t val_files) {
    EXPECT_EQ(n_splits, 4u) << "four groups, not five folds";
    EXPECT_EQ(train_files + val_files, 16u);
    sizes.push_back(val_files);
  };
  const auto found = run_proto_ssm_oof(t.config, with_families(t), t.groups, o);
  ASSERT_TRUE(succeeded(found));
  EXPECT_EQ(sizes, (std::vector<std::size_t>{4, 4, 4, 4}));
  EXPECT_EQ(found->histories.size(), 4u);
  EXPECT_EQ(found->gates.size(), 4u);
  EXPECT_GT(found->gates[0][0], 0);
  EXPECT_GT(ml::macro_auc_or_zero(t.labels, found->logits, 5), 0.7) << "chance is one half";
  for (std::size_t f = 0; f < t.files; ++f)
    for (std::size_t g = 0; g < t.files; ++g)
      if (t.groups[f] == t.groups[g]) {
        EXPECT_EQ(found->folds[f], found->folds[g]);
      }
  // A fold's labels do not reach its predictions before training does.
  o.training.training.n_epochs = 1, o.training.training.lr = 1e-12, o.training.training.swa_start_frac = 2;
  const auto before = run_proto_ssm_oof(t.config, with_families(t), t.groups, o);
  for (std::size_t i = 0; i < t.labels.size(); ++i)
    if (found->folds[i / 30] == 0) t.labels[i] = 1 - t.labels[i];
  const auto after = run_proto_ssm_oof(t.config, with_families(t), t.groups, o);
  ASSERT_TRUE(succeeded(before) && succeeded(after));
  for (std::size_t i = 0; i < t.labels.size(); ++i)
    if (found->folds[i / 30] == 0) {
      ASSERT_EQ(before->logits[i], after->logits[i]);
    }
}

TEST(OutOfFold, RefusesOneGroupAndOneFile) {
  SmallTraining t;
  const std::vector<std::string> one(t.files, "S1");
  EXPECT_TRUE(refused(run_proto_ssm_oof(t.config, t.data(), one, options_of(t)), ErrorCode::invalid_argument,
                      {"n_splits", "1 for 1 groups"}));
  EXPECT_TRUE(refused(run_proto_ssm_oof(t.config, t.data(), std::span(one).first(3), options_of(t)),
                      ErrorCode::invalid_argument, {"3 groups"}));
  SmallTraining single(1);
  EXPECT_TRUE(refused(run_proto_ssm_oof(single.config, single.data(), single.groups, options_of(single)),
                      ErrorCode::invalid_argument, {"1 groups"}));
}

TEST(OutOfFold, FoldsAreThoseOfScikitLearn) {
  const Fixture f("optimisation");
  const auto fold = ml::group_k_fold_of(f.numbers["groups"].get<std::vector<std::string>>(), 5);
  ASSERT_TRUE(succeeded(fold));
  EXPECT_EQ(*fold, f.numbers["folds"].get<std::vector<std::size_t>>());
}

TEST(OutOfFold, EndsWithTheFoldItIsStoppedIn) {
  SmallTraining t;
  OutOfFoldOptions o = options_of(t);
  std::size_t asked = 0;
  o.training.training.should_stop = [&] { return ++asked == 45; };
  const auto found = run_proto_ssm_oof(t.config, t.data(), t.groups, o);
  ASSERT_TRUE(succeeded(found));
  EXPECT_TRUE(found->interrupted);
  EXPECT_EQ(found->histories.size(), 2u);
  EXPECT_EQ(found->histories[1].train_loss.size(), 5u);
}

}  // namespace
}  // namespace pantanal::train
