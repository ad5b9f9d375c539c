#include "pantanal/pipeline/align_rows.hpp"

#include "core/refused.hpp"

namespace pantanal::pipeline {
namespace {

using Ids = std::vector<std::string>;

TEST(AlignRows, FindsEachRow) {
  const auto rows = align_rows(Ids{"c", "a", "c"}, Ids{"a", "b", "c"}, "cache");
  ASSERT_TRUE(succeeded(rows));
  EXPECT_EQ(*rows, (std::vector<std::size_t>{2, 0, 2}));
  EXPECT_TRUE(align_rows(Ids{}, Ids{"a"}, "cache")->empty());
}

TEST(AlignRows, NamesTheRowThatIsMissing) {
  EXPECT_TRUE(refused(align_rows(Ids{"a", "d"}, Ids{"a"}, "cache"), ErrorCode::not_found, {"cache", "'d'"}));
  EXPECT_TRUE(refused(align_rows(Ids{"a"}, Ids{"a", "b", "b"}, "cache"), ErrorCode::corrupt, {"'b' twice"}));
}

}  // namespace
}  // namespace pantanal::pipeline
