#include "pantanal/output/top_classes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace pantanal::output {
namespace {

std::vector<std::size_t> indices(const std::vector<ScoredClass>& top) {
  std::vector<std::size_t> all;
  for (const ScoredClass& scored : top) all.push_back(scored.index);
  return all;
}

TEST(TopClasses, PutsTheHighestFirst) {
  const std::vector<float> logits = {0.5f, 3.0f, -1.0f, 2.0f};
  const auto top = top_classes(logits, 3);
  EXPECT_EQ(indices(top), (std::vector<std::size_t>{1, 3, 0}));
  EXPECT_EQ(top[0].logit, 3.0f);
}

TEST(TopClasses, KeepsTheOrderOfEqualLogits) {
  EXPECT_EQ(indices(top_classes(std::vector<float>{1, 2, 1, 2, 2}, 4)),
            (std::vector<std::size_t>{1, 3, 4, 0}));
}

TEST(TopClasses, GivesAllIfThereAreFewer) {
  EXPECT_EQ(top_classes(std::vector<float>{1, 2}, 9).size(), 2u);
  EXPECT_TRUE(top_classes({}, 9).empty());
  EXPECT_TRUE(top_classes(std::vector<float>{1, 2}, 0).empty());
}

TEST(TopClasses, SharesOneAmongAllClasses) {
  const std::vector<float> logits = {std::log(1.0f), std::log(2.0f), std::log(5.0f)};
  const auto top = top_classes(logits, 2);
  EXPECT_NEAR(top[0].softmax, 5.0 / 8.0, 1e-7);
  EXPECT_NEAR(top[1].softmax, 2.0 / 8.0, 1e-7);
}

TEST(TopClasses, DoesNotOverflow) {
  const auto top = top_classes(std::vector<float>{3e38f, -3e38f, 3e38f}, 3);
  EXPECT_EQ(top[0].softmax, 0.5);
  EXPECT_EQ(top[1].softmax, 0.5);
  EXPECT_EQ(top[2].softmax, 0.0);
}

}  // namespace
}  // namespace pantanal::output
