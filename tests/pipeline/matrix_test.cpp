#include "pantanal/pipeline/matrix.hpp"

#include <limits>

#include "core/refused.hpp"

namespace pantanal::pipeline {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

TEST(Matrix, HoldsRowAfterRow) {
  Scores scores(2, 3, 1.5f);
  scores(1, 2) = 7;
  EXPECT_EQ(scores.values, (std::vector<float>{1.5f, 1.5f, 1.5f, 1.5f, 1.5f, 7}));
  EXPECT_EQ(scores.row(1)[2], 7);
  EXPECT_EQ(scores.row(0).size(), 3u);
}

TEST(Matrix, NamesTheValueThatIsNotFinite) {
  Scores scores(12, 3);
  EXPECT_TRUE(succeeded(detail::check_files("scores", scores, 12)));
  scores(4, 1) = nan;
  EXPECT_TRUE(refused(detail::check_files("scores", scores, 12), ErrorCode::invalid_argument,
                      {"scores[4, 1]", "NaN"}));
  EXPECT_TRUE(refused(detail::finite_result("scores", scores), ErrorCode::invalid_argument, {"overflows"}));
}

TEST(Matrix, RefusesOtherSizes) {
  const Scores scores(13, 2);
  EXPECT_TRUE(refused(detail::check_files("scores", scores, 12), ErrorCode::mismatch, {"13 windows"}));
  EXPECT_TRUE(refused(detail::check_files("scores", scores, 0), ErrorCode::mismatch));
  EXPECT_TRUE(
      refused(detail::check_size("scores", scores, 13, 3), ErrorCode::mismatch, {"13 x 2", "13 x 3"}));
  Scores torn(12, 2);
  torn.values.pop_back();
  EXPECT_TRUE(refused(detail::check_files("scores", torn, 12), ErrorCode::mismatch, {"23 values"}));
}

}  // namespace
}  // namespace pantanal::pipeline
