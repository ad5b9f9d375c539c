// A training step allocates nothing after the first ones: this program's operator new counts.
#include <gtest/gtest.h>

#include <vector>

#include "core/counted_allocations.hpp"
#include "pantanal/train/residual_ssm_step.hpp"
#include "train/small_training.hpp"

namespace pantanal::train {
namespace {

TEST(ProtoSsmStep, AllocatesNothingAfterTheFirstMixedStep) {
  const SmallTraining t;
  ProtoSsmStep step(t.config, t.data(), {.dropout = 0.2f, .threads = 1});
  ASSERT_TRUE(step.model().parameters().load(t.state).ok());
  const FileMix none, mix = mixup_files(t.files, 0.4, {.seed = 1});
  step.step(0, none, {.lr = 1e-3}), step.step(1, mix, {.lr = 1e-3});
  const std::size_t before = allocations;
  ASSERT_GT(before, 0u) << "the counter counts";
  step.step(2, none, {.lr = 1e-3}), step.step(3, mix, {.lr = 1e-3});
  EXPECT_EQ(allocations - before, 0u);
}

TEST(ResidualSsmStep, AllocatesNothingAfterTheFirst) {
  const SmallTraining t;
  heads::ResidualSsmConfig c;
  c.d_input = 24, c.d_scores = 5, c.d_model = 16, c.n_classes = 5, c.n_windows = 6;
  ResidualSsmStep step(c, {t.emb, t.logits, t.labels, {}, {}, t.files, 6}, {.dropout = 0.2f, .threads = 1});
  ASSERT_TRUE(step.model().parameters().load(initial_state(heads::required_tensors(c), 1)).ok());
  step.step(0, {.lr = 1e-3});
  const std::size_t before = allocations;
  step.step(1, {.lr = 1e-3});
  EXPECT_EQ(allocations - before, 0u);
}

}  // namespace
}  // namespace pantanal::train
