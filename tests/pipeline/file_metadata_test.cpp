#include "pantanal/pipeline/file_metadata.hpp"

#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

TEST(FileMetadata, AgreesWithTheOracle) {
  for_each_golden([](const Golden& golden) {
    const auto files = reshape_to_files(golden.meta);
    ASSERT_TRUE(succeeded(files));
    const auto ids = get_file_metadata(golden.meta, *files, build_site_mapping(golden.meta),
                                       std::stoi(golden.text("site_limit")));
    ASSERT_TRUE(succeeded(ids));
    const Lines expected = golden.lines("file_ids");
    ASSERT_EQ(files->size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ((*files)[i], expected[i][0]);
      EXPECT_EQ(ids->site_ids[i], std::stoi(expected[i][1]));
      EXPECT_EQ(ids->hours[i], std::stoi(expected[i][2]));
    }
  });
}

TEST(FileMetadata, UnknownSitesAndFilesAreZero) {
  const std::vector<WindowMeta> train{{"a_5", "a", {"S1", 7}}, {"b_5", "b", {std::nullopt, -1}}};
  const std::vector<WindowMeta> test{{"c_5", "c", {"S2", 99}}, {"d_5", "d", {std::nullopt, -1}}};
  const SiteMapping sites = build_site_mapping(train);
  EXPECT_EQ(sites.size(), 2u);
  EXPECT_EQ(n_sites_mapped(sites), 3);
  const std::vector<std::string> files{"c", "d", "e"};
  const auto ids = get_file_metadata(test, files, sites, 20);
  ASSERT_TRUE(succeeded(ids));
  EXPECT_EQ(ids->site_ids, (std::vector<std::int64_t>{0, 2, 0}));
  EXPECT_EQ(ids->hours, (std::vector<std::int64_t>{3, 23, 0}));
  EXPECT_EQ(get_file_metadata(test, files, sites, 2)->site_ids[1], 1);
  EXPECT_TRUE(
      refused(get_file_metadata(test, files, sites, 0), ErrorCode::invalid_argument, {"n_sites_max"}));
}

TEST(FileMetadata, FilesAreWholeAndInOnePlace) {
  const std::vector<WindowMeta> rows{
      {"a_5", "a", {}}, {"a_10", "a", {}}, {"b_5", "b", {}}, {"b_10", "b", {}}};
  EXPECT_EQ(*reshape_to_files(rows, 2), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(refused(reshape_to_files(rows), ErrorCode::mismatch, {"a", "2 windows", "12"}));
  const std::vector<WindowMeta> apart{rows[0], rows[2], rows[1]};
  EXPECT_TRUE(refused(reshape_to_files(apart, 1), ErrorCode::mismatch, {"a", "two places"}));
  EXPECT_TRUE(reshape_to_files({})->empty());
}

}  // namespace
}  // namespace pantanal::pipeline
