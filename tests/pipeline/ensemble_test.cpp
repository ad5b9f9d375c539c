#include "pantanal/pipeline/ensemble.hpp"

#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

TEST(Ensemble, AgreesWithTheOracle) {
  for_each_golden([](const Golden& golden) {
    const Scores probe = golden.array("probe");
    const auto mlp = blend_probe(golden.array("base"), 0, probe.row(0), golden.number("probe_alpha"));
    expect_close(mlp, golden.array("mlp"));
    const auto first_pass = blend_scores(golden.array("proto"), *mlp, golden.number("weight"));
    expect_close(first_pass, golden.array("first_pass"));
    expect_close(add_correction(*first_pass, golden.array("correction"), golden.number("correction")),
                 golden.array("final"));
  });
}

TEST(Ensemble, LogitsOfCertainProbabilitiesAreFinite) {
  EXPECT_NEAR(probability_to_logit(0), -16.118, 1e-3);
  EXPECT_NEAR(probability_to_logit(1), 16.118, 1.0) << "1 + 1e-7 is rounded to a float";
  EXPECT_NEAR(probability_to_logit(0.5f), 0, 1e-6);
}

TEST(Ensemble, KeepsTheFirstBestOf21Weights) {
  const Scores proto(1, 1, 1.0f), mlp(1, 1, 0.0f);
  const auto plateau = optimize_ensemble_weight(proto, mlp, [](const Scores& blended) {
    return blended.values[0] >= 0.299f && blended.values[0] < 0.6f;
  });
  ASSERT_TRUE(succeeded(plateau));
  EXPECT_DOUBLE_EQ(plateau->best_weight, 6 * 0.05);
  ASSERT_EQ(plateau->results.size(), 21u);
  EXPECT_EQ(plateau->results.front().first, 0);
  EXPECT_EQ(plateau->results.back().first, 1);
  const auto nothing = optimize_ensemble_weight(proto, mlp, [](const Scores&) { return NAN; });
  ASSERT_TRUE(succeeded(nothing));
  EXPECT_EQ(nothing->best_weight, 0);
  EXPECT_EQ(nothing->best_score, 0);
}

TEST(Ensemble, RefusesBadInput) {
  const Scores good(2, 1), bad(2, 1, NAN), other(3, 1);
  EXPECT_TRUE(refused(blend_scores(good, other), ErrorCode::mismatch));
  EXPECT_TRUE(refused(blend_scores(good, bad), ErrorCode::invalid_argument));
  EXPECT_TRUE(refused(blend_scores(bad, good), ErrorCode::invalid_argument));
  EXPECT_TRUE(refused(blend_scores(good, good, 1.5), ErrorCode::invalid_argument, {"weight"}));
  EXPECT_TRUE(refused(blend_scores(good, good, NAN), ErrorCode::invalid_argument, {"weight"}));
  EXPECT_TRUE(
      refused(blend_probe(good, 1, std::vector{0.5f, 0.5f}), ErrorCode::invalid_argument, {"class 1"}));
  EXPECT_TRUE(refused(blend_probe(good, 0, std::vector{0.5f}), ErrorCode::mismatch));
  EXPECT_TRUE(
      refused(blend_probe(good, 0, std::vector{0.5f, NAN}), ErrorCode::invalid_argument, {"probability"}));
  EXPECT_TRUE(refused(add_correction(good, other), ErrorCode::mismatch));
  EXPECT_TRUE(refused(add_correction(good, bad), ErrorCode::invalid_argument));
  EXPECT_TRUE(refused(optimize_ensemble_weight(good, bad, [](const Scores&) { return 0.0; }),
                      ErrorCode::invalid_argument));
}

}  // namespace
}  // namespace pantanal::pipeline
