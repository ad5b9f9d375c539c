#include "pantanal/ml/ranking_metrics.hpp"

#include "ml/fixtures.hpp"

namespace pantanal::ml {
namespace {

TEST(RankingMetrics, AgreeWithScikitLearn) {
  for (const FixtureCase& c : load_cases("metrics")) {
    const std::vector<std::uint8_t> y(c.integers.at("y").begin(), c.integers.at("y").end());
    const std::span<const double> s(c.vector("s")), w(c.vector("w"));
    EXPECT_NEAR(*roc_auc<double>(y, s), c.options["auc"].get<double>(), 1e-14);
    EXPECT_NEAR(*roc_auc<double>(y, s, w), c.options["auc_weighted"].get<double>(), 1e-14);
    EXPECT_NEAR(*average_precision<double>(y, s), c.options["ap"].get<double>(), 1e-14);
    EXPECT_NEAR(*average_precision<double>(y, s, w), c.options["ap_weighted"].get<double>(), 1e-14);
  }
}

TEST(RankingMetrics, MacroAucOfTrainingIsZeroWithoutAClassToScore) {
  const std::vector<float> none(6, 0.0f), all(6, 1.0f), scores{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(macro_auc_or_zero(none, scores, 2), 0);
  EXPECT_EQ(macro_auc_or_zero(all, scores, 2), 0);
  EXPECT_DOUBLE_EQ(macro_auc_or_zero(std::vector<float>{0, 1, 0, 1}, std::vector<float>{1, 1, 0, 2}, 1),
                   3.5 / 4);
  const std::vector<float> broken{1, 0, 0, std::numeric_limits<float>::quiet_NaN()};
  EXPECT_EQ(macro_auc_or_zero(std::vector<float>{0, 1, 0, 1}, broken, 1), 0);
}

TEST(RankingMetrics, MacroAucSkipsClassesOfOneKind) {
  const std::vector<std::uint8_t> y{0, 0, 1, 1, 0, 1};  // columns: 0 1 0 and 0 1 1
  const std::vector<float> s{0, 0, 1, 2, 0.5f, 1};
  EXPECT_EQ(*macro_auc_skip_empty<float>({y.data(), 3, 2}, {s.data(), 3, 2}), 1.0);
  const std::vector<std::uint8_t> none(6);
  EXPECT_TRUE(refused(macro_auc_skip_empty<float>({none.data(), 3, 2}, {s.data(), 3, 2}),
                      ErrorCode::invalid_argument, {"no class"}));
  EXPECT_TRUE(refused(macro_auc_skip_empty<float>({y.data(), 3, 2}, {s.data(), 2, 3}),
                      ErrorCode::invalid_argument, {"[2, 3]", "[3, 2]"}));
}

TEST(RankingMetrics, RefuseBadInput) {
  const std::vector<std::uint8_t> y{0, 1}, one{1, 1};
  const std::vector<float> s{0, 1}, broken{0, NAN}, few{0};
  EXPECT_TRUE(refused(roc_auc<float>(one, s), ErrorCode::invalid_argument, {"one class"}));
  EXPECT_TRUE(refused(roc_auc<float>(y, broken), ErrorCode::invalid_argument, {"NaN"}));
  EXPECT_TRUE(refused(average_precision<float>(y, few), ErrorCode::invalid_argument, {"y_score"}));
  EXPECT_EQ(*average_precision<float>(std::vector<std::uint8_t>{0, 0}, s), 0.0);
}

}  // namespace
}  // namespace pantanal::ml
