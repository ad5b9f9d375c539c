#include "pantanal/pipeline/taxonomy.hpp"

#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

Result<Taxonomy> taxonomy_of(const std::string& text) {
  const auto rows = parse_csv(text, "t.csv");
  EXPECT_TRUE(succeeded(rows));
  return build_taxonomy(*rows, "t.csv");
}

TEST(Taxonomy, GroupsAgreeWithTheOracle) {
  for_each_golden([](const Golden& golden) {
    const auto groups = build_taxonomy_groups(golden.taxonomy, golden.classes);
    ASSERT_TRUE(succeeded(groups));
    const Lines expected = golden.lines("groups");
    EXPECT_EQ(groups->names, parse_soundscape_labels(expected[0][1]));
    EXPECT_EQ(groups->class_to_group, indices_of(expected[1][1]));
  });
}

TEST(Taxonomy, GroupsByTheFinestColumn) {
  const auto table = taxonomy_of(
      "order,primary_label,family,scientific_name,class_name\nO,a,F,A a,Aves\nO,b,E,B b,Insecta\n");
  ASSERT_TRUE(succeeded(table));
  const std::vector<std::string> classes{"b", "a", "b"};
  const auto groups = build_taxonomy_groups(*table, classes);
  ASSERT_TRUE(succeeded(groups));
  EXPECT_EQ(groups->names, (std::vector<std::string>{"E", "F"}));
  EXPECT_EQ(groups->class_to_group, (std::vector<std::size_t>{0, 1, 0}));
  EXPECT_EQ(*texture_classes(*table, classes), (std::vector<bool>{true, false, true}));
}

TEST(Taxonomy, AmphibiansAndInsectsAreTextures) {
  EXPECT_TRUE(is_texture_taxon("Amphibia"));
  EXPECT_TRUE(is_texture_taxon("Insecta"));
  for (const char* taxon : {"Aves", "Mammalia", "Reptilia", "", "amphibia"})
    EXPECT_FALSE(is_texture_taxon(taxon));
}

TEST(Taxonomy, RefusesWhatIsNoTable) {
  EXPECT_TRUE(refused(taxonomy_of(""), ErrorCode::corrupt));
  EXPECT_TRUE(
      refused(taxonomy_of("primary_label,class_name\na,b\n"), ErrorCode::not_found, {"scientific_name"}));
  EXPECT_TRUE(refused(taxonomy_of("primary_label,scientific_name,class_name\na,A a,Aves\na,A b,Aves\n"),
                      ErrorCode::corrupt, {"t.csv:3", "'a' again"}));
  const std::vector<std::string> classes{"x"};
  const Taxonomy empty;
  EXPECT_TRUE(refused(find_classes(empty, classes), ErrorCode::not_found, {"'x'"}));
  EXPECT_TRUE(refused(texture_classes(empty, classes), ErrorCode::not_found));
  EXPECT_TRUE(refused(build_taxonomy_groups(empty, classes), ErrorCode::not_found));
}

}  // namespace
}  // namespace pantanal::pipeline
