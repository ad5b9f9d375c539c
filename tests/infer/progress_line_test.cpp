#include "progress_line.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace pantanal::infer {
namespace {

TEST(ProgressLine, ShowsPartRateAndTimeLeft) {
  EXPECT_EQ(progress_line({0.25, 3600, 18}, 200),
            "[##########                              ]   25 %  200 x real time  0:00:54 left");
  EXPECT_EQ(progress_line({1, 9, 2}, 200),
            "[########################################]  100 %  4.5 x real time  0:00:00 left");
}

TEST(ProgressLine, KnowsNothingAtTheStart) {
  const std::string line = progress_line({}, 200);
  EXPECT_NE(line.find("0 %  - x real time  -:--:-- left"), std::string::npos) << line;
  EXPECT_NE(progress_line({0.9, 0, 0.02}, 200).find("90 %  - x real time  -:--:-- left"), std::string::npos)
      << "decoded, but nothing is computed yet";
}

TEST(ProgressLine, FitsTheTerminal) {
  for (std::size_t columns = 0; columns < 120; ++columns) {
    const std::string line = progress_line({0.5, 1e6, 50}, columns);
    EXPECT_LE(line.size(), columns);
    EXPECT_EQ(line.find('#') != line.npos, columns >= 47) << columns << line;
  }
}

TEST(ProgressLine, StaysInBoundsWhateverItIsTold) {
  EXPECT_NE(progress_line({1.5, 1, 1}, 80).find("100 %"), std::string::npos);
  EXPECT_NE(progress_line({-1, 1, 1}, 80).find("  0 %"), std::string::npos);
  EXPECT_LE(progress_line({1e-300, 1e300, 1e300}, 80).size(), 80u);
}

TEST(ClockText, CountsHoursMinutesSeconds) {
  EXPECT_EQ(clock_text(0), "0:00:00");
  EXPECT_EQ(clock_text(59.6), "0:01:00");
  EXPECT_EQ(clock_text(3723), "1:02:03");
  EXPECT_EQ(clock_text(-1), "-:--:--");
  EXPECT_EQ(clock_text(1e300), "-:--:--");
  EXPECT_EQ(clock_text(std::numeric_limits<double>::quiet_NaN()), "-:--:--");
}

}  // namespace
}  // namespace pantanal::infer
