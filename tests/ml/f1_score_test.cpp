#include "pantanal/ml/f1_score.hpp"

#include "ml/fixtures.hpp"

namespace pantanal::ml {
namespace {

TEST(F1Score, AgreesWithScikitLearn) {
  for (const FixtureCase& c : load_cases("metrics")) {
    const std::vector<std::uint8_t> y(c.integers.at("y").begin(), c.integers.at("y").end());
    std::vector<std::uint8_t> decisions;
    for (const double s : c.vector("s")) decisions.push_back(s > 0.5);
    EXPECT_NEAR(*f1_score(y, decisions), c.options["f1"].get<double>(), 1e-15);
    EXPECT_NEAR(*f1_score(y, decisions, c.vector("w")), c.options["f1_weighted"].get<double>(), 1e-14);
  }
}

TEST(F1Score, FirstBestThresholdWins) {
  const std::vector<std::uint8_t> y{0, 0, 1, 1};
  const std::vector<float> s{0.1f, 0.4f, 0.5f, 0.9f};
  const std::vector<double> thresholds{0.3, 0.4, 0.45, 0.5};
  const auto above = best_f1_threshold<float>(y, s, thresholds);
  ASSERT_TRUE(succeeded(above));
  EXPECT_EQ(above->value, 0.4);  // 0.4 > 0.4 is false in float too
  EXPECT_EQ(above->f1, 1.0);
  EXPECT_EQ(best_f1_threshold<float>(y, s, thresholds, true)->value, 0.45);
  EXPECT_EQ(*f1_score(std::vector<std::uint8_t>{0}, std::vector<std::uint8_t>{0}), 0.0);
  EXPECT_TRUE(refused(best_f1_threshold<float>(y, s, {}), ErrorCode::invalid_argument, {"thresholds"}));
}

}  // namespace
}  // namespace pantanal::ml
