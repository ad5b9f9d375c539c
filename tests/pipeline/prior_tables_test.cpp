#include "pantanal/pipeline/prior_tables.hpp"

#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

std::vector<SiteHour> labelled_places(const Golden& golden) {
  std::vector<SiteHour> places;
  for (const LabelledWindow& window : golden.labels.windows) places.push_back(window.meta.place);
  return places;
}

TEST(PriorTables, LogitsAgreeWithTheOracle) {
  for_each_golden([](const Golden& golden) {
    const auto tables = fit_prior_tables(labelled_places(golden), golden.labels.y_sc);
    ASSERT_TRUE(succeeded(tables));
    expect_close(prior_logits_from_tables(golden.places(), *tables), golden.array("prior"));
  });
}

PriorTables two_windows() {
  MultiHot y(2, 1);
  y(0, 0) = 1;
  const std::vector<SiteHour> places{{"S1", 3}, {std::nullopt, -1}};
  const auto tables = fit_prior_tables(places, y);
  EXPECT_TRUE(succeeded(tables));
  return *tables;
}

TEST(PriorTables, CountPerSiteHourAndBoth) {
  const PriorTables tables = two_windows();
  EXPECT_EQ(tables.global_p, std::vector<float>{0.5f});
  ASSERT_EQ(tables.site.size(), 1u);
  ASSERT_EQ(tables.hour.size(), 2u);
  ASSERT_EQ(tables.site_hour.size(), 1u);
  EXPECT_EQ(tables.site.at("S1").p, std::vector<float>{1});
  EXPECT_EQ(tables.hour.at(-1).p, std::vector<float>{0});
  EXPECT_EQ(tables.site_hour.at({"S1", 3}).n, 1);
}

double probability_at(const SiteHour& place) {
  const auto logits = prior_logits_from_tables(std::span(&place, 1), two_windows());
  EXPECT_TRUE(succeeded(logits));
  return 1 / (1 + std::exp(-double{logits->values[0]}));
}

TEST(PriorTables, UnknownKeysSkipTheirStep) {
  const auto shrink = [](double p, double n, double strength) { return (n + strength * p) / (n + strength); };
  EXPECT_NEAR(probability_at({std::nullopt, -1}), 0.5, 1e-6);
  EXPECT_NEAR(probability_at({"S9", 7}), 0.5, 1e-6);
  EXPECT_NEAR(probability_at({"S9", 3}), shrink(0.5, 1, 8), 1e-6);
  EXPECT_NEAR(probability_at({"S1", -1}), shrink(0.5, 1, 8), 1e-6);
  EXPECT_NEAR(probability_at({"S1", 7}), shrink(0.5, 1, 8), 1e-6);
  EXPECT_NEAR(probability_at({"S1", 3}), shrink(shrink(shrink(0.5, 1, 8), 1, 8), 1, 4), 1e-6);
}

TEST(PriorTables, AreClipped) {
  MultiHot y(1, 2);
  y(0, 1) = 1;
  const SiteHour nowhere;
  const auto tables = fit_prior_tables(std::span(&nowhere, 1), y);
  const auto logits = prior_logits_from_tables(std::span(&nowhere, 1), *tables);
  EXPECT_NEAR(logits->values[0], -9.2102404, 1e-5);
  EXPECT_NEAR(logits->values[1], 9.2102404, 1e-3) << "1 - 1e-4 is rounded to a float";
}

TEST(PriorTables, RefuseWhatTheyCannotFit) {
  EXPECT_TRUE(
      refused(fit_prior_tables({}, MultiHot(0, 3)), ErrorCode::invalid_argument, {"no labelled windows"}));
  EXPECT_TRUE(refused(fit_prior_tables({}, MultiHot(2, 3)), ErrorCode::mismatch));
  for (const float eps : {0.0f, 0.5f, -1.0f, NAN})
    EXPECT_TRUE(
        refused(prior_logits_from_tables({}, two_windows(), eps), ErrorCode::invalid_argument, {"eps"}));
}

}  // namespace
}  // namespace pantanal::pipeline
