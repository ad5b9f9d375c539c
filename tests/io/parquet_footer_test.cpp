#include "pantanal/io/parquet_footer.hpp"

#include <gtest/gtest.h>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"

namespace pantanal {
namespace {

Result<ParquetFooter> footer_of(const std::string& file) {
  return read_parquet_footer(std::as_bytes(std::span(file.data(), file.size())), "t.parquet");
}

TEST(ParquetFooter, SaysWhatColumnsThereAre) {
  const auto footer = footer_of(read_bytes(PANTANAL_SOURCE_DIR "/tests/golden/parquet/groups.parquet"));
  ASSERT_TRUE(succeeded(footer));
  EXPECT_EQ(footer->rows, 60);
  ASSERT_EQ(footer->columns.size(), 4u);
  EXPECT_EQ(footer->columns[2].name, "site");
  EXPECT_EQ(footer->columns[2].type, ParquetType::bytes);
  EXPECT_TRUE(footer->columns[2].is_optional);
  EXPECT_EQ(footer->columns[3].type, ParquetType::int64);
  EXPECT_EQ(footer->chunks.size(), 4u * 4);  // of 17, 17, 17 and 9 rows
  EXPECT_EQ(footer->chunks[0].values, 17);
  EXPECT_EQ(footer->chunks[15].name, "hour_utc");
}

TEST(ParquetFooter, RefusesOtherFiles) {
  using enum ErrorCode;
  std::string file = read_bytes(PANTANAL_SOURCE_DIR "/tests/golden/parquet/pandas.parquet");
  EXPECT_TRUE(refused(footer_of(""), corrupt, {"t.parquet"}));
  EXPECT_TRUE(refused(footer_of("row_id,filename,site,hour_utc\n"), corrupt));
  EXPECT_TRUE(refused(footer_of(file.substr(0, file.size() - 1)), corrupt));
  EXPECT_TRUE(refused(footer_of(file.substr(0, 4) + file.substr(file.size() - 8)), corrupt));
  std::string huge = file;
  huge[huge.size() - 5] = '\x7f';  // the footer's length
  EXPECT_TRUE(refused(footer_of(huge), corrupt));
  EXPECT_TRUE(refused(footer_of(file.substr(0, file.size() - 1) + "E"), unsupported, {"encrypted"}));
  EXPECT_TRUE(refused(footer_of(read_bytes(PANTANAL_SOURCE_DIR "/tests/golden/parquet/nested.parquet")),
                      unsupported, {"filename", "nested"}));
}

}  // namespace
}  // namespace pantanal
