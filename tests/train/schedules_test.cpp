// Learning rates and beta1 against PyTorch's, step by step.
#include "pantanal/train/schedules.hpp"

#include "train/fixture.hpp"

namespace pantanal::train {
namespace {

TEST(OneCycleLr, AgreesWithPyTorch) {
  for (const auto& c : Fixture("optimisation").numbers["one_cycle"]) {
    const auto schedule = OneCycleLr::create(
        {.max_lr = c["max_lr"], .total_steps = c["total_steps"], .pct_start = c["pct_start"]});
    ASSERT_TRUE(succeeded(schedule));
    for (std::size_t step = 0; step < c["steps"].size(); ++step) {
      const StepSize size = schedule->at(step);
      const double lr = c["steps"][step][0], beta1 = c["steps"][step][1];
      EXPECT_NEAR(size.lr, lr, 1e-12 * lr) << "step " << step << " of " << c["total_steps"];
      EXPECT_NEAR(size.beta1, beta1, 1e-12) << "step " << step << " of " << c["total_steps"];
    }
  }
}

TEST(OneCycleLr, RefusesAPhaseOfNoLength) {
  EXPECT_TRUE(refused(OneCycleLr::create({.total_steps = 10}), ErrorCode::invalid_argument, {"no length"}));
  EXPECT_TRUE(refused(OneCycleLr::create({.total_steps = 0}), ErrorCode::invalid_argument, {"at least 1"}));
  EXPECT_TRUE(refused(OneCycleLr::create({.total_steps = 5, .pct_start = 1.5}), ErrorCode::invalid_argument,
                      {"0 to 1"}));
}

TEST(CosineAnnealingWarmRestarts, AgreesWithPyTorch) {
  for (const auto& c : Fixture("optimisation").numbers["restarts"]) {
    const auto schedule = CosineAnnealingWarmRestarts::create({.t_0 = c["t_0"], .t_mult = c["t_mult"]});
    ASSERT_TRUE(succeeded(schedule));
    for (std::size_t step = 0; step < c["steps"].size(); ++step) {
      EXPECT_NEAR(schedule->at(step).lr, double{c["steps"][step][0]}, 1e-7 * double{c["steps"][step][0]});
      EXPECT_EQ(schedule->at(step).beta1, 0.9);
    }
  }
}

TEST(CosineAnnealingWarmRestarts, RefusesNoPeriod) {
  EXPECT_TRUE(
      refused(CosineAnnealingWarmRestarts::create({.t_0 = 0}), ErrorCode::invalid_argument, {"at least 1"}));
}

}  // namespace
}  // namespace pantanal::train
