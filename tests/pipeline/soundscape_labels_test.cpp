#include "pantanal/pipeline/soundscape_labels.hpp"

#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

TEST(SoundscapeLabels, AgreeWithPython) {
  for (const auto& line : read_lines(golden_folder() / "label_cells.csv")) {
    std::string joined;
    for (const std::string& label : parse_soundscape_labels(line[0]))
      joined += (joined.empty() ? "" : "|") + label;
    EXPECT_EQ(joined, line[1]) << "'" << line[0] << "'";
  }
}

TEST(SoundscapeLabels, AnEmptyCellIsTheTextNan) {
  EXPECT_EQ(parse_soundscape_labels(""), std::vector<std::string>{"nan"});
  EXPECT_TRUE(parse_soundscape_labels(" ").empty());
}

TEST(SoundscapeLabels, UnionIsSortedAndHoldsEachOnce) {
  EXPECT_EQ(union_labels(std::vector<std::string>{"b;a", "c; a", ";"}),
            (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(union_labels({}).empty());
}

}  // namespace
}  // namespace pantanal::pipeline
