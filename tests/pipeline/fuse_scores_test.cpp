#include "pantanal/pipeline/fuse_scores.hpp"

#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

PriorTables tables_of(const Golden& golden) {
  std::vector<SiteHour> places;
  for (const LabelledWindow& window : golden.labels.windows) places.push_back(window.meta.place);
  const auto tables = fit_prior_tables(places, golden.labels.y_sc);
  EXPECT_TRUE(succeeded(tables));
  return *tables;
}

FusionWeights weights_of(const Golden& golden) {
  return {golden.number("lambda_event"), golden.number("lambda_texture"),
          golden.number("lambda_proxy_texture"), golden.number("smooth_texture"),
          golden.number("smooth_event")};
}

TEST(FuseScores, AgreesWithTheOracle) {
  for_each_golden([](const Golden& golden) {
    const auto fused = fuse_scores_with_tables(golden.array("raw"), golden.places(), tables_of(golden),
                                               golden.fusion_classes(), weights_of(golden));
    ASSERT_TRUE(succeeded(fused));
    expect_close(fused->scores, golden.array("base"));
    expect_close(fused->prior, golden.array("prior"));
  });
}

TEST(FuseScores, OverwritesAnInactiveProxyAndLeavesAnInactiveMappedClass) {
  const Golden golden(golden_cases()[0]);
  const Scores raw = golden.array("raw");
  const auto fused =
      fuse_scores_with_tables(raw, golden.places(), tables_of(golden), golden.fusion_classes());
  ASSERT_TRUE(succeeded(fused));
  const auto at = [&](const char* label) {
    return static_cast<std::size_t>(std::ranges::find(golden.classes, label) - golden.classes.begin());
  };
  EXPECT_EQ(column(fused->scores, at("3002")), std::vector<float>(raw.rows, -8));
  EXPECT_EQ(column(fused->scores, at("avi2")), column(raw, at("avi2")));
}

TEST(FuseScores, ReplacesWhatAClassWithoutLabelOrProxyScored) {
  for_each_golden([](const Golden& golden) {
    const FusionClasses classes = golden.fusion_classes();
    Scores raw = golden.array("raw");
    for (const auto* replaced :
         {&classes.prior_only_active_event, &classes.prior_only_active_texture, &classes.unmapped_inactive})
      for (const std::size_t c : *replaced)
        for (std::size_t i = 0; i < raw.rows; ++i) raw(i, c) = 50;
    const auto fused =
        fuse_scores_with_tables(raw, golden.places(), tables_of(golden), classes, weights_of(golden));
    ASSERT_TRUE(succeeded(fused));
    expect_close(fused->scores, golden.array("base"));
  });
}

TEST(FuseScores, RefusesBadInput) {
  const Golden golden(golden_cases()[0]);
  const PriorTables tables = tables_of(golden);
  const FusionClasses classes = golden.fusion_classes();
  Scores raw = golden.array("raw");
  const std::vector<SiteHour> places = golden.places();
  EXPECT_TRUE(refused(fuse_scores_with_tables(raw, std::span(places).first(12), tables, classes),
                      ErrorCode::mismatch));
  EXPECT_TRUE(refused(fuse_scores_with_tables(raw, places, PriorTables{{0.5f}, {}, {}, {}}, classes),
                      ErrorCode::mismatch, {"priors of 1 classes"}));
  raw(5, 2) = NAN;
  EXPECT_TRUE(refused(fuse_scores_with_tables(raw, places, tables, classes), ErrorCode::invalid_argument,
                      {"[5, 2]"}));
}

}  // namespace
}  // namespace pantanal::pipeline
