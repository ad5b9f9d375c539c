// Every figure that the notebook prints of the real competition's tables, from copies of them that the
// project does not hold: PANTANAL_COMPETITION_TABLES names their folder.
#include <map>
#include <set>

#include "pantanal/pipeline/file_metadata.hpp"
#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

/// The folder's tables, read; a test without them is skipped.
class CompetitionTables : public testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("PANTANAL_COMPETITION_TABLES");
    if (!folder)
      GTEST_SKIP()
          << "PANTANAL_COMPETITION_TABLES does not name a folder with taxonomy.csv, sample_submission.csv, "
             "train_soundscapes_labels.csv and perch_v2_labels.csv";
    tables_ = folder;
    const auto sample = read_sample_submission(tables_ / "sample_submission.csv");
    ASSERT_TRUE(succeeded(sample));
    sample_ = *sample;
    const auto taxonomy = read_taxonomy(tables_ / "taxonomy.csv");
    ASSERT_TRUE(succeeded(taxonomy));
    taxonomy_ = *taxonomy;
    const auto labels = read_window_labels(tables_ / "train_soundscapes_labels.csv", sample_.classes);
    ASSERT_TRUE(succeeded(labels));
    labels_ = *labels;
    for (const auto& line : read_lines(tables_ / "perch_v2_labels.csv")) perch_labels_.push_back(line[0]);
    perch_labels_.erase(perch_labels_.begin());
  }

  PerchMapping mapping() const {
    const auto mapped = map_to_perch(taxonomy_, sample_.classes, perch_labels_);
    EXPECT_TRUE(succeeded(mapped));
    return *mapped;
  }

  std::filesystem::path tables_;
  SampleSubmission sample_;
  Taxonomy taxonomy_;
  WindowLabels labels_;
  std::vector<std::string> perch_labels_;
};

TEST_F(CompetitionTables, LabelledWindows) {
  EXPECT_EQ(read_lines(tables_ / "train_soundscapes_labels.csv").size() - 1, 1478u);
  EXPECT_EQ(sample_.classes.size(), 234u);
  EXPECT_EQ(labels_.windows.size(), 739u);
  EXPECT_EQ(labels_.full_files.size(), 59u);
  EXPECT_EQ(labels_.full_rows.size(), 708u);
  EXPECT_EQ(active_classes(labels_.y_full()).size(), 71u);
  EXPECT_EQ(active_classes(labels_.y_sc).size(), 75u);
  std::set<std::string> files, sites;
  for (const LabelledWindow& window : labels_.windows) {
    files.insert(window.meta.filename);
    sites.insert(window.meta.place.site.value_or("none"));
  }
  EXPECT_EQ(files.size(), 66u);
  EXPECT_EQ(sites.size(), 9u);
}

TEST_F(CompetitionTables, PerchMapping) {
  const PerchMapping found = mapping();
  std::size_t mapped = 0, active_mapped = 0;
  for (std::size_t c = 0; c < sample_.classes.size(); ++c) mapped += found.is_mapped(c);
  EXPECT_EQ(perch_labels_.size(), 14795u);
  EXPECT_EQ(mapped, 203u);
  const auto active = active_classes(labels_.y_full());
  for (const std::size_t c : active) active_mapped += found.is_mapped(c);
  EXPECT_EQ(active_mapped, 43u);
  EXPECT_EQ(active.size() - active_mapped, 28u);

  const auto range = [](std::size_t first, std::size_t last) {
    std::vector<std::size_t> all;
    for (std::size_t i = first; i <= last; ++i) all.push_back(i);
    return all;
  };
  const std::map<std::string, std::vector<std::size_t>> expected{
      {"1491113", range(143, 151)}, {"1595929", range(7482, 7483)}, {"25073", range(2611, 2616)}};
  std::map<std::string, std::vector<std::size_t>> proxies;
  for (const GenusProxy& proxy : found.proxies)
    proxies[sample_.classes[proxy.class_index]] = proxy.bc_indices;
  EXPECT_EQ(proxies, expected);
}

TEST_F(CompetitionTables, FusionClasses) {
  const auto classes = build_fusion_classes(mapping(), *texture_classes(taxonomy_, sample_.classes),
                                            active_classes(labels_.y_sc));
  ASSERT_TRUE(succeeded(classes));
  EXPECT_EQ(classes->active_texture.size(), 42u);
  EXPECT_EQ(classes->proxied_active_texture.size(), 2u);
  EXPECT_EQ(classes->prior_only_active_texture.size(), 25u);
  EXPECT_EQ(classes->prior_only_active_event.size(), 2u);
}

TEST_F(CompetitionTables, GroupsAndSites) {
  const auto groups = build_taxonomy_groups(taxonomy_, sample_.classes);
  ASSERT_TRUE(succeeded(groups));
  std::map<std::string, int> counts;
  for (const std::size_t group : groups->class_to_group) ++counts[groups->names[group]];
  EXPECT_EQ(counts, (std::map<std::string, int>{
                        {"Amphibia", 35}, {"Aves", 162}, {"Insecta", 28}, {"Mammalia", 8}, {"Reptilia", 1}}));
  std::vector<WindowMeta> cache;
  for (const std::size_t i : labels_.full_rows) cache.push_back(labels_.windows[i].meta);
  EXPECT_EQ(n_sites_mapped(build_site_mapping(cache)), 9) << "8 sites and the unknown one";
  EXPECT_EQ(reshape_to_files(cache)->size(), 59u);
}

}  // namespace
}  // namespace pantanal::pipeline
