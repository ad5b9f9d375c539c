// Averages continue from where they were restored; the best loss is remembered. (adamw_test compares the
// averages with PyTorch's.)
#include "pantanal/train/averaging.hpp"

#include <gtest/gtest.h>

namespace pantanal::train {
namespace {

TEST(Averaging, ContinuesFromARestoredState) {
  const std::vector<float> a{1, 2}, b{3, 5}, c{8, 2};
  WeightSum sum, resumed;
  MovingAverage average(0.25), continued(0.25);
  for (const auto& values : {a, b}) sum.add(values), average.add(values);
  resumed.restore(sum.sum(), sum.count()), continued.restore(average.average(), average.count());
  sum.add(c), resumed.add(c), average.add(c), continued.add(c);
  std::vector<float> mean(2), other(2);
  sum.mean(mean), resumed.mean(other);
  EXPECT_EQ(mean, (std::vector<float>{4, 3}));
  EXPECT_EQ(mean, other);
  EXPECT_TRUE(std::equal(average.average().begin(), average.average().end(), continued.average().begin()));
  EXPECT_FLOAT_EQ(average.average()[0], 0.75f * (0.75f * 1 + 0.25f * 3) + 0.25f * 8);
}

TEST(EarlyStopping, StopsAfterItsPatience) {
  EarlyStopping stop{.patience = 2};
  EXPECT_TRUE(stop.improves(3));
  EXPECT_FALSE(stop.improves(3)) << "as good is not better";
  EXPECT_FALSE(stop.should_stop());
  EXPECT_TRUE(stop.improves(2));
  EXPECT_FALSE(stop.improves(4));
  EXPECT_FALSE(stop.improves(5));
  EXPECT_TRUE(stop.should_stop());
  EXPECT_EQ(stop.best, 2);
  EarlyStopping never;
  for (int i = 0; i < 100; ++i) never.improves(i);
  EXPECT_FALSE(never.should_stop());
}

}  // namespace
}  // namespace pantanal::train
