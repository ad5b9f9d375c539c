#include "labels/class_list.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint_writer.hpp"
#include "io/temporary_folder.hpp"

namespace pantanal::convert {
namespace {

using Rows = std::vector<std::size_t>;

const std::vector<std::string> labels = {
    "Adenomera andreae", "Adenomera hylaedactyla", "Adenomerax x", "Caiman yacare",
    "Turdus merula",     "Turdus rufiventris",     "Dog",          "Adenomera"};
constexpr std::string_view header = "primary_label,inat_taxon_id,scientific_name,common_name,class_name\n";

Result<ClassSelection> select(const std::string& name, std::string_view text) {
  const TemporaryFolder directory;
  fixtures::write_file(directory / name, text);
  return select_classes(labels, directory / name);
}

std::string class_list_error(const std::string& name, std::string_view text) {
  const auto selection = select(name, text);
  EXPECT_FALSE(selection.ok());
  return selection.ok() ? "" : selection.error().message();
}

Result<std::vector<std::string>> labels_of(std::string_view text) {
  const TemporaryFolder directory;
  fixtures::write_file(directory / "labels.csv", text);
  return read_labels(directory / "labels.csv");
}

TEST(ReadLabels, SkipsTheHeaderAndReadsAnyLineEnd) {
  const std::vector<std::string> expected = {"Aaa bbb", "Ccc, ddd", "e \"f\""};
  EXPECT_EQ(*labels_of("inat2024_fsd50k\nAaa bbb\n\"Ccc, ddd\"\n\"e \"\"f\"\"\"\n"), expected);
  EXPECT_EQ(*labels_of("\xEF\xBB\xBFx\r\nAaa bbb\r\n\"Ccc, ddd\"\r\n\"e \"\"f\"\"\""), expected);
  EXPECT_TRUE(labels_of("inat2024_fsd50k\n")->empty());
}

TEST(ReadLabels, RefusesOtherTables) {
  EXPECT_NE(labels_of("").error().message().find("an empty file"), std::string::npos);
  EXPECT_NE(labels_of("a,b\nc,d\n").error().message().find("2 columns, expected one"), std::string::npos);
  EXPECT_NE(labels_of("a\nb\n\"\"\n").error().message().find("labels.csv:3: corrupt: found an empty name"),
            std::string::npos);
  EXPECT_NE(labels_of("a\nb\n\"c\n").error().message().find("labels.csv:3"), std::string::npos);
  EXPECT_EQ(read_labels("/nowhere/labels.csv").error().code, ErrorCode::not_found);
}

TEST(ReadLabels, NamesTheLineThatIsNotUtf8) {
  const std::string message = labels_of("a\nJ\xc3\xb3hann\ncaf\xe9 bird\n").error().message();
  EXPECT_NE(message.find("labels.csv:3: corrupt: found text that is not UTF-8: byte 0xe9 after 'caf'"),
            std::string::npos)
      << message;
}

TEST(ReadLabels, RefusesWhatIsNotUtf8FromTheFirstByte) {
  using namespace std::string_view_literals;
  const auto expect = [](std::string_view text, const char* line, const char* found) {
    const auto result = labels_of(text);
    ASSERT_FALSE(result.ok()) << found;
    const std::string message = result.error().message();
    EXPECT_NE(message.find(std::string("labels.csv") + line + ": corrupt: found " + found), std::string::npos)
        << message;
    EXPECT_NE(message.find("UTF-8"), std::string::npos) << message;
  };
  expect("\xFF\xFEh\0\n\0a\0\n\0"sv, "", "UTF-16, expected UTF-8");
  expect("\xFE\xFF\0h\0\n\0a\0\n"sv, "", "UTF-16, expected UTF-8");
  expect("\xFF\xFE\0\0h\0\0\0"sv, "", "UTF-32, expected UTF-8");
  expect("h\0\n\0a\0\n\0"sv, ":1", "a NUL byte, as UTF-16 has many");
  expect("h\r\na\0b\r\n"sv, ":2", "a NUL byte");
  expect("h\xe9\na\n"sv, ":1", "text that is not UTF-8: byte 0xe9 after 'h'");
  EXPECT_EQ(*labels_of("\xEF\xBB\xBFh\na\n"), std::vector<std::string>{"a"});
}

TEST(SelectClasses, RefusesWhatIsNotUtf8) {
  using namespace std::string_view_literals;
  EXPECT_NE(class_list_error("names.txt", "\xFF\xFE\x44\0o\0g\0"sv).find("found UTF-16"), std::string::npos);
  EXPECT_NE(class_list_error("t.csv", std::string(header) + "1,1,caf\xe9,x,Aves\n").find("t.csv:2"),
            std::string::npos);
}

TEST(ReadLabels, NamesBothLinesOfANameThatIsThereTwice) {
  const std::string message = labels_of("a\nb\nc\nb\n").error().message();
  EXPECT_NE(message.find("labels.csv:4: corrupt: found 'b' again, which is in line 2 already"),
            std::string::npos)
      << message;
}

TEST(SelectClasses, ATaxonomyKeepsItsScientificNames) {
  const auto selection = select("taxonomy.csv", std::string(header) +
                                                    "2,2,Turdus merula,Blackbird,Aves\n"
                                                    "1,1,Caiman yacare,\"Caiman, southern\",Reptilia\r\n"
                                                    "3,3,Turdus merula,Again,Aves\n"
                                                    "4,4,Sus scrofa,Boar,Mammalia\n");
  ASSERT_TRUE(selection.ok()) << selection.error().message();
  EXPECT_EQ(selection->rows, (Rows{3, 4}));
  EXPECT_EQ(selection->mapped, 3u);
  EXPECT_EQ(selection->unmapped, (std::vector<std::string>{"4"}));
  EXPECT_TRUE(selection->proxies.empty());
}

TEST(SelectClasses, ColumnsAreFoundByName) {
  const auto selection =
      select("t.csv", "class_name,scientific_name,extra,primary_label\nAves,Turdus merula,x,t\n");
  ASSERT_TRUE(selection.ok()) << selection.error().message();
  EXPECT_EQ(selection->rows, Rows{4});
  EXPECT_NE(class_list_error("t.csv", "primary_label,scientific_name\na,b\n").find("a column 'class_name'"),
            std::string::npos);
  EXPECT_NE(class_list_error("t.csv", "primary_label,class_name\na,b\n").find("a column 'scientific_name'"),
            std::string::npos);
  EXPECT_NE(class_list_error("t.csv", "").find("an empty file"), std::string::npos);
}

TEST(SelectClasses, AGenusStandsInForAnUnknownAmphibianInsectOrBird) {
  for (const char* class_name : {"Amphibia", "Insecta", "Aves"}) {
    const auto selection =
        select("t.csv", std::string(header) + "25073,1,Adenomera saci,Frog," + class_name + "\n");
    ASSERT_TRUE(selection.ok()) << selection.error().message();
    EXPECT_EQ(selection->rows, (Rows{0, 1}));  // not "Adenomerax x", nor the bare "Adenomera"
    ASSERT_EQ(selection->proxies.size(), 1u);
    EXPECT_EQ(selection->proxies[0].label, "25073");
    EXPECT_EQ(selection->proxies[0].genus, "Adenomera");
    EXPECT_EQ(selection->proxies[0].rows, (Rows{0, 1}));
    EXPECT_EQ(selection->unmapped, (std::vector<std::string>{"25073"}));
  }
}

TEST(SelectClasses, NoGenusStandsInForOthers) {
  for (const char* row : {"1,1,Adenomera saci,Frog,Reptilia\n", "25073son01,1,Adenomera saci,Frog,Amphibia\n",
                          "sonora,1,Adenomera saci,Frog,Amphibia\n", "1,1,Rana temporaria,Frog,Amphibia\n",
                          "1,1,,Frog,Amphibia\n", "1,1,  ,Frog,Amphibia\n"}) {
    const auto selection = select("t.csv", std::string(header) + row + "2,2,Dog,Dog,Mammalia\n");
    ASSERT_TRUE(selection.ok()) << selection.error().message();
    EXPECT_EQ(selection->rows, Rows{6}) << row;
    EXPECT_TRUE(selection->proxies.empty()) << row;
    EXPECT_EQ(selection->unmapped.size(), 1u) << row;
  }
}

TEST(SelectClasses, AListOfNames) {
  const auto selection =
      select("names.txt",
             "\xEF\xBB\xBF# what we look for\r\n\r\n  Turdus merula \r\nDog\n\tCaiman yacare\n"
             "Turdus merula");
  ASSERT_TRUE(selection.ok()) << selection.error().message();
  EXPECT_EQ(selection->rows, (Rows{3, 4, 6}));
  EXPECT_EQ(selection->mapped, 4u);
  EXPECT_TRUE(selection->unmapped.empty());
}

TEST(SelectClasses, AnUnknownNameIsAnErrorWithASuggestion) {
  EXPECT_NE(
      class_list_error("names.txt", "Dog\n\nTurdus merulla\n")
          .find("names.txt:3: not found: found 'Turdus merulla', which is no class of this model, expected "
                "one of its 8 classes, such as 'Turdus merula'"),
      std::string::npos);
}

TEST(SelectClasses, AHeaderTellsATaxonomyOfAnyName) {
  const auto selection = select("taxonomy.txt", std::string(header) + "2,2,Turdus merula,Blackbird,Aves\n");
  ASSERT_TRUE(selection.ok()) << selection.error().message();
  EXPECT_EQ(selection->rows, Rows{4});
}

TEST(SelectClasses, NothingLeftIsAnError) {
  EXPECT_NE(class_list_error("names.txt", "# nothing\n").find("no class of this model"), std::string::npos);
  EXPECT_NE(class_list_error("t.csv", std::string(header)).find("no class of this model"), std::string::npos);
  EXPECT_NE(class_list_error("t.csv", std::string(header) + "1,1,Sus scrofa,Boar,Mammalia\n")
                .find("no class of this model"),
            std::string::npos);
  EXPECT_EQ(select_classes(labels, "/nowhere/names.txt").error().code, ErrorCode::not_found);
}

TEST(SelectClasses, ABrokenTaxonomyNamesTheLine) {
  EXPECT_NE(
      class_list_error("t.csv", std::string(header) + "1,1,Dog\n").find("t.csv:2: corrupt: found 3 fields"),
      std::string::npos);
}

TEST(SelectClasses, TheCompetitionsTaxonomy) {
  const std::filesystem::path tables = PANTANAL_SOURCE_DIR "/../shared/data/tables";
  if (!std::filesystem::exists(tables / "taxonomy.csv")) GTEST_SKIP() << "no ../shared/data/tables";
  const auto perch = read_labels(tables / "perch_v2_labels.csv");
  ASSERT_TRUE(perch.ok()) << perch.error().message();
  ASSERT_EQ(perch->size(), 14795u);
  const auto selection = select_classes(*perch, tables / "taxonomy.csv");
  ASSERT_TRUE(selection.ok()) << selection.error().message();
  EXPECT_EQ(selection->mapped, 203u);
  EXPECT_EQ(selection->unmapped.size(), 31u);
  const auto range = [](std::size_t first, std::size_t last) {
    Rows rows(last - first + 1);
    std::iota(rows.begin(), rows.end(), first);
    return rows;
  };
  ASSERT_EQ(selection->proxies.size(), 3u);
  EXPECT_EQ(selection->proxies[0].label, "1491113");
  EXPECT_EQ(selection->proxies[0].rows, range(143, 151));
  EXPECT_EQ(selection->proxies[1].label, "1595929");
  EXPECT_EQ(selection->proxies[1].rows, range(7482, 7483));
  EXPECT_EQ(selection->proxies[2].label, "25073");
  EXPECT_EQ(selection->proxies[2].rows, range(2611, 2616));
  EXPECT_TRUE(std::ranges::is_sorted(selection->rows));
  EXPECT_EQ(std::ranges::adjacent_find(selection->rows), selection->rows.end());
  EXPECT_EQ(selection->rows.size(), 203u + 9 + 2 + 6);
}

}  // namespace
}  // namespace pantanal::convert
