#include "pantanal/competition/perch_cache.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "competition/small_competition.hpp"
#include "core/refused.hpp"
#include "io/temporary_folder.hpp"

namespace pantanal::competition {
namespace {

class PerchCacheTest : public ::testing::Test {
 protected:
  void write_meta(const std::string& text) { std::ofstream(folder_ / "full_perch_meta.csv") << text; }

  TemporaryFolder folder_;
  PerchOutputs perch_ = small_competition().perch;
};

TEST_F(PerchCacheTest, ReadsBackWhatItWrites) {
  perch_.meta[0].place.site.reset();
  EXPECT_FALSE(has_perch_cache(folder_ / "cache"));
  ASSERT_TRUE(succeeded(write_perch_cache(folder_ / "cache", perch_)));
  EXPECT_TRUE(has_perch_cache(folder_ / "cache"));
  const auto read = read_perch_cache(folder_ / "cache", 6);
  ASSERT_TRUE(succeeded(read));
  EXPECT_EQ(read->scores.values, perch_.scores.values);
  EXPECT_EQ(read->emb.values, perch_.emb.values);
  ASSERT_EQ(read->meta.size(), perch_.meta.size());
  EXPECT_FALSE(read->meta[0].place.site);
  EXPECT_EQ(read->meta[13].row_id, perch_.meta[13].row_id);
  EXPECT_EQ(read->meta[13].place.site, perch_.meta[13].place.site);
  EXPECT_EQ(read->meta[13].place.hour_utc, perch_.meta[13].place.hour_utc);
}

TEST_F(PerchCacheTest, TakesHoursAndSitesAsPandasWritesThem) {
  ASSERT_TRUE(succeeded(write_perch_cache(folder_.path(), perch_)));
  std::string text = "filename,row_id,hour_utc,site,extra\n";
  for (std::size_t i = 0; i < perch_.meta.size(); ++i)
    text += perch_.meta[i].filename + "," + perch_.meta[i].row_id + (i % 2 ? ",4.0,S01,0\n" : ",-1,None,0\n");
  write_meta(text);
  const auto read = read_perch_cache(folder_.path(), 6);
  ASSERT_TRUE(succeeded(read));
  EXPECT_EQ(read->meta[1].place.hour_utc, 4);
  EXPECT_EQ(read->meta[2].place.hour_utc, -1);
  EXPECT_FALSE(read->meta[2].place.site);
}

TEST_F(PerchCacheTest, RefusesWhatDoesNotFit) {
  using enum ErrorCode;
  ASSERT_TRUE(succeeded(write_perch_cache(folder_.path(), perch_)));
  EXPECT_TRUE(refused(read_perch_cache(folder_.path(), 7), mismatch, {"scores_full_raw", "x 6", "x 7"}));
  write_meta("row_id,filename,site,hour_utc\na_5,a,S01,3\n");
  EXPECT_TRUE(refused(read_perch_cache(folder_.path(), 6), mismatch, {"scores_full_raw"}));
  write_meta("row_id,filename,site,hour_utc\na_5,a,S01,noon\n");
  EXPECT_TRUE(refused(read_perch_cache(folder_.path(), 6), corrupt, {"full_perch_meta.csv:2", "noon"}));
  write_meta("row_id,filename,site\na_5,a,S01\n");
  EXPECT_TRUE(refused(read_perch_cache(folder_.path(), 6), not_found, {"hour_utc"}));
  for (const std::string& wrong : {std::string(), perch_.meta[0].row_id}) {
    PerchOutputs other = perch_;
    other.meta[4].row_id = wrong;
    ASSERT_TRUE(succeeded(write_perch_cache(folder_.path(), other)));
    EXPECT_TRUE(refused(read_perch_cache(folder_.path(), 6), corrupt,
                        {"full_perch_meta.csv: row 4", wrong.empty() ? "no row_id" : "a second time"}));
  }
  perch_.emb(3, 2) = std::numeric_limits<float>::quiet_NaN();
  ASSERT_TRUE(succeeded(write_perch_cache(folder_.path(), perch_)));
  EXPECT_TRUE(refused(read_perch_cache(folder_.path(), 6), invalid_argument, {"emb_full[3, 2]"}));
}

TEST_F(PerchCacheTest, RefusesAnotherOrigin) {
  ASSERT_TRUE(succeeded(write_perch_cache(folder_.path(), perch_, "this model")));
  EXPECT_TRUE(succeeded(read_perch_cache(folder_.path(), 6, "this model")));
  EXPECT_TRUE(refused(read_perch_cache(folder_.path(), 6, "that model"), ErrorCode::mismatch,
                      {"full_perch_origin.txt", "another model"}));
  std::filesystem::remove(folder_ / "full_perch_origin.txt");  // as a notebook leaves it
  EXPECT_TRUE(succeeded(read_perch_cache(folder_.path(), 6, "that model")));
}

TEST_F(PerchCacheTest, ReadsThePandasTableWhereThereIsNoOther) {
  const std::string golden = PANTANAL_SOURCE_DIR "/tests/golden/parquet/";
  perch_.scores.rows = perch_.emb.rows = 60;  // as many as the table has
  perch_.scores.values.resize(60 * perch_.scores.columns), perch_.emb.values.resize(60 * perch_.emb.columns);
  perch_.meta.resize(60);
  ASSERT_TRUE(succeeded(write_perch_cache(folder_.path(), perch_)));
  std::filesystem::remove(folder_ / "full_perch_meta.csv");
  const auto with = [&](const char* name) {
    std::filesystem::copy_file(golden + name, folder_ / "full_perch_meta.parquet",
                               std::filesystem::copy_options::overwrite_existing);
    return read_perch_cache(folder_.path(), 6);
  };
  for (const char* const name : {"pandas.parquet", "float_hours.parquet"}) {
    const auto read = with(name);
    ASSERT_TRUE(succeeded(read));
    EXPECT_EQ(read->meta[12].row_id, "BC2026_Train_0001_S01_20250201_010000_5");
    EXPECT_EQ(read->meta[12].filename, "BC2026_Train_0001_S01_20250201_010000.ogg");
    EXPECT_EQ(read->meta[12].place.site, "S01");
    EXPECT_EQ(read->meta[12].place.hour_utc, 1);
    EXPECT_FALSE(read->meta[36].place.site);
    EXPECT_EQ(read->meta[36].place.hour_utc, -1);
  }
  EXPECT_TRUE(
      refused(with("zstd.parquet"), ErrorCode::unsupported, {"full_perch_meta.parquet", "compression"}));
  EXPECT_TRUE(refused(with("shuffled.parquet"), ErrorCode::mismatch, {"windows in a row"}));
  EXPECT_TRUE(refused(with("table.csv"), ErrorCode::corrupt, {"Parquet"}));
}

}  // namespace
}  // namespace pantanal::competition
