#include "labels/spelling.hpp"

#include <gtest/gtest.h>

namespace pantanal::convert {
namespace {

TEST(Spelling, CountsEdits) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("flaw", "lawn"), 2u);
}

TEST(Spelling, IgnoresCase) { EXPECT_EQ(edit_distance("TURDUS", "turdus"), 0u); }

TEST(Spelling, FindsTheNearestAndOfEqualsTheFirst) {
  const std::vector<std::string> words = {"Turdus merula", "Turdus iliacus", "Parus major"};
  EXPECT_EQ(nearest_spelling("turdus merulla", words), "Turdus merula");
  EXPECT_EQ(nearest_spelling("Paris major", words), "Parus major");
  EXPECT_EQ(nearest_spelling("", std::vector<std::string>{"ab", "cd"}), "ab");
  EXPECT_EQ(nearest_spelling("x", {}), "");
}

TEST(Spelling, IsBoundedForLongWords) {
  const std::vector<std::string> words = {std::string(10'000'000, 'a'), std::string(10'000'000, 'b')};
  EXPECT_EQ(nearest_spelling(std::string(10'000'000, 'b'), words), words[1]);
}

}  // namespace
}  // namespace pantanal::convert
