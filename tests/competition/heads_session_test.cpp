#include "pantanal/competition/heads_session.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "competition/small_heads.hpp"
#include "core/refused.hpp"

namespace pantanal::competition {
namespace {

using pipeline::Scores;

class HeadsSessionTest : public ::testing::Test {
 protected:
  static const SmallCompetition& made() {
    static const SmallCompetition competition = small_competition();
    return competition;
  }
  static HeadsBundle trained() { return *small_heads(made(), small_configuration()); }
  static std::shared_ptr<const HeadsBundle> shared(HeadsBundle bundle) {
    return std::make_shared<const HeadsBundle>(std::move(bundle));
  }
  static std::shared_ptr<const HeadsBundle> bundle() {
    static const auto heads = shared(trained());
    return heads;
  }
  static Scores predict(std::shared_ptr<const HeadsBundle> heads, const PerchOutputs& perch,
                        Effort effort = Effort::full, std::size_t threads = 1) {
    auto session = HeadsSession::create(std::move(heads), threads);
    EXPECT_TRUE(succeeded(session));
    Pace spent;
    auto rows = session->predict(perch, effort, spent);
    EXPECT_TRUE(succeeded(rows));
    return rows ? *std::move(rows) : Scores();
  }
};

TEST_F(HeadsSessionTest, GivesProbabilities) {
  const Scores rows = predict(bundle(), made().perch);
  ASSERT_EQ(rows.rows, made().perch.meta.size());
  EXPECT_TRUE(std::ranges::all_of(rows.values, [](float p) { return p >= 0 && p <= 1; }));
  EXPECT_GT(*std::ranges::max_element(rows.values), 0.1f);
}

TEST_F(HeadsSessionTest, RowsDependOnTheirOwnFileAlone) {
  const Scores all = predict(bundle(), made().perch, Effort::full, 3);
  for (std::size_t first = 0; first < all.rows; first += pipeline::n_windows_per_file) {
    std::vector<std::size_t> windows(pipeline::n_windows_per_file);
    std::iota(windows.begin(), windows.end(), first);
    PerchOutputs one{
        {}, detail::take_rows(made().perch.scores, windows), detail::take_rows(made().perch.emb, windows)};
    for (const std::size_t w : windows) one.meta.push_back(made().perch.meta[w]);
    EXPECT_EQ(predict(bundle(), one).values, detail::take_rows(all, windows).values);
  }
}

/// What a bundle without some parts gives with everything is what one with them gives with less effort.
TEST_F(HeadsSessionTest, EffortLeavesPartsOut) {
  HeadsBundle less = trained();
  less.configuration.tta_shifts = {0};
  const auto unshifted = shared(std::move(less));
  EXPECT_EQ(predict(bundle(), made().perch, Effort::no_tta).values, predict(unshifted, made().perch).values);
  less = trained();
  less.configuration.tta_shifts = {0};
  less.residual.reset();
  const auto uncorrected = shared(std::move(less));
  EXPECT_EQ(predict(bundle(), made().perch, Effort::no_residual).values,
            predict(uncorrected, made().perch).values);
  less = trained();
  less.residual.reset();
  less.ensemble_weight = 0;
  EXPECT_EQ(predict(bundle(), made().perch, Effort::no_proto_ssm).values,
            predict(shared(std::move(less)), made().perch).values);
  EXPECT_NE(predict(bundle(), made().perch).values, predict(unshifted, made().perch).values);
  EXPECT_NE(predict(unshifted, made().perch).values, predict(uncorrected, made().perch).values);
}

TEST_F(HeadsSessionTest, RefusesNumbersThatAreNone) {
  PerchOutputs perch = made().perch;
  perch.emb(5, 1) = std::numeric_limits<float>::quiet_NaN();
  auto session = HeadsSession::create(bundle(), 1);
  ASSERT_TRUE(succeeded(session));
  Pace spent;
  EXPECT_TRUE(refused(session->predict(perch, Effort::full, spent), ErrorCode::invalid_argument));
  perch = made().perch;
  perch.scores(0, 0) = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(refused(session->predict(perch, Effort::full, spent), ErrorCode::invalid_argument));
}

TEST_F(HeadsSessionTest, PriorsAreOfTheRowsPlace) {
  const HeadsBundle& b = *bundle();
  const std::vector<pipeline::SiteHour> known(12, {"S01", 0}), unknown(12, {std::nullopt, -1});
  const auto a = prior_probabilities(known, b.priors, b.texture, b.thresholds, b.configuration);
  const auto c = prior_probabilities(unknown, b.priors, b.texture, b.thresholds, b.configuration);
  ASSERT_TRUE(succeeded(a));
  ASSERT_TRUE(succeeded(c));
  EXPECT_NE(a->values, c->values);
  for (std::size_t i = 1; i < 12; ++i)
    for (std::size_t k = 0; k < a->columns; ++k) EXPECT_NEAR((*a)(0, k), (*a)(i, k), 1e-6);
}

}  // namespace
}  // namespace pantanal::competition
