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

}  // namespace
}  // namespace pantanal::competition
