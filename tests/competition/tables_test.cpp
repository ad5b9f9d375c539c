#include "pantanal/competition/tables.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"

namespace pantanal::competition {
namespace {

class TablesTest : public ::testing::Test {
 protected:
  TablesTest() {
    write("sample_submission.csv", "row_id,b,a\nx_5,0.5,0.5\n");
    write("taxonomy.csv", "primary_label,scientific_name,class_name\na,A a,Aves\nb,B b,Insecta\n");
    write("train_soundscapes_labels.csv",
          "filename,start,end,primary_label\n"
          "BC2026_Train_0001_S05_20250227_010002.ogg,00:00:00,00:00:05,a;b\n"
          "BC2026_Train_0001_S05_20250227_010002.ogg,00:00:00,00:00:05,a\n"
          "BC2026_Train_0001_S05_20250227_010002.ogg,00:00:05,00:00:10,a\n");
  }
  void write(const char* name, const char* text) { std::ofstream(folder_ / name) << text; }

  TemporaryFolder folder_;
};

TEST_F(TablesTest, AreReadTogether) {
  const auto tables = read_competition_tables(folder_.path());
  ASSERT_TRUE(succeeded(tables));
  EXPECT_EQ(tables->classes, (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(tables->texture, (std::vector<bool>{true, false}));
  EXPECT_EQ(tables->labels.windows.size(), 2u);
  const auto priors = tables->fit_priors();
  ASSERT_TRUE(succeeded(priors));
  EXPECT_EQ(priors->global_p, (std::vector<float>{0.5f, 1.0f}));
  EXPECT_TRUE(priors->site.contains("S05"));
}

TEST_F(TablesTest, NameTheTableThatIsWrong) {
  write("taxonomy.csv", "primary_label,scientific_name,class_name\na,A a,Aves\n");
  EXPECT_TRUE(refused(read_competition_tables(folder_.path()), ErrorCode::not_found, {"'b'"}));
  std::filesystem::remove(folder_ / "sample_submission.csv");
  EXPECT_TRUE(
      refused(read_competition_tables(folder_.path()), ErrorCode::not_found, {"sample_submission.csv"}));
}

TEST_F(TablesTest, GiveEachWindowItsLabels) {
  write("train_soundscapes_labels.csv",
        "filename,start,end,primary_label\nx.ogg,00:00:00,00:00:05,a\nx.ogg,00:00:03,00:00:05,b\n"
        "x.ogg,00:00:06,00:00:10,b\n");
  const pipeline::WindowLabels labels = read_competition_tables(folder_.path())->labels;
  ASSERT_EQ(labels.windows.size(), 3u);
  // Where two windows end at once it is the one on the grid, else the one that there is.
  const std::vector<pipeline::WindowMeta> meta = {{"x_10", "x.ogg", {}}, {"x_5", "x.ogg", {}}};
  const auto rows = detail::label_rows(meta, labels);
  ASSERT_TRUE(succeeded(rows));
  EXPECT_EQ(*rows, (std::vector<std::size_t>{2, 0}));
  const std::vector<pipeline::WindowMeta> other = {{"x_15", "x.ogg", {}}};
  EXPECT_TRUE(refused(detail::label_rows(other, labels), ErrorCode::not_found, {"x_15"}));
}

TEST_F(TablesTest, SayWhatLabelsAreNotUsed) {
  EXPECT_TRUE(unused_labels(read_competition_tables(folder_.path())->labels).empty());
  std::string text = "filename,start,end,primary_label\nx.ogg,00:00:00,00:00:07,a;c0;c1;c2\n";
  text += "x.ogg,00:00:05,00:00:10,c0;c3;c4;c5;c6\n";
  write("train_soundscapes_labels.csv", text.c_str());
  EXPECT_EQ(detail::some_of({std::string(119, 'x') + "\xC3\xBC"
                                                     "ber"}),
            std::string(119, 'x') + "...");
  const auto notes = unused_labels(read_competition_tables(folder_.path())->labels);
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_NE(notes[0].find("7 labels"), std::string::npos) << notes[0];
  EXPECT_NE(
      notes[0].find("c0 (2 windows), c1 (1 window), c2 (1 window), c3 (1 window), c4 (1 window) and 2 more"),
      std::string::npos)
      << notes[0];
  EXPECT_NE(notes[1].find("1 windows"), std::string::npos) << notes[1];
  EXPECT_NE(notes[1].find("x_7"), std::string::npos) << notes[1];
}

}  // namespace
}  // namespace pantanal::competition
