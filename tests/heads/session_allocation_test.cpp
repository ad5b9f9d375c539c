// The heads' run() allocates nothing: this program's operator new counts.
#include <gtest/gtest.h>

#include <vector>

#include "core/counted_allocations.hpp"
#include "heads/random_state.hpp"
#include "pantanal/heads/proto_ssm.hpp"
#include "pantanal/heads/residual_ssm.hpp"

namespace pantanal::heads {
namespace {

constexpr std::size_t files = 9, steps = 12;

TEST(ProtoSsm, RunAllocatesNothing) {
  ProtoSsmConfig config;
  config.d_input = 20, config.d_model = 24, config.n_classes = 5;
  auto model =
      ProtoSsm::create(random_state(required_tensors(config)), config, {.threads = 1, .rows_per_block = 24});
  ASSERT_TRUE(model.ok());
  const std::vector<float> emb(files * steps * config.d_input, 0.5f),
      logits(files * steps * config.n_classes, 0.1f);
  const std::vector<std::int64_t> ids(files, 1);
  std::vector<float> species(logits.size()), families(files * config.n_families);
  const int shifts[] = {0, 1, -1};
  const std::size_t before = allocations;
  ASSERT_GT(before, 0u) << "the counter counts";
  const Status run = model->run({emb, logits, {ids, ids}}, files, steps, {species, families, {}});
  const Status tta = model->temporal_shift_tta({emb, logits, {ids, ids}}, files, steps, shifts, species);
  EXPECT_EQ(allocations - before, 0u);
  EXPECT_TRUE(run.ok() && tta.ok());
}

TEST(ResidualSsm, RunAllocatesNothing) {
  ResidualSsmConfig config;
  config.d_input = 20, config.d_scores = 5, config.d_model = 24, config.n_classes = 5;
  auto model = ResidualSsm::create(random_state(required_tensors(config)), config,
                                   {.threads = 1, .rows_per_block = 24});
  ASSERT_TRUE(model.ok());
  const std::vector<float> emb(files * steps * config.d_input, 0.5f),
      scores(files * steps * config.d_scores, 0.1f);
  const std::vector<std::int64_t> ids(files, 1);
  std::vector<float> correction(files * steps * config.n_classes);
  const std::size_t before = allocations;
  const Status run = model->run({emb, scores, {ids, ids}}, files, steps, correction);
  EXPECT_EQ(allocations - before, 0u);
  EXPECT_TRUE(run.ok());
}

}  // namespace
}  // namespace pantanal::heads
