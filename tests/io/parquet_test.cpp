// What pandas and pyarrow have written (make_parquet_fixtures.py), and damaged copies of it.
#include "pantanal/io/parquet.hpp"

#include <gtest/gtest.h>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"
#include "pantanal/io/csv.hpp"

namespace pantanal {
namespace {

const std::string parquet_folder = PANTANAL_SOURCE_DIR "/tests/golden/parquet/";
const std::vector<std::string> parquet_names = {"row_id", "filename", "site", "hour_utc"};

/// Rows as text, sorted, a null as an empty one.
std::vector<std::string> rows_of(const std::vector<ParquetColumn>& columns) {
  std::vector<std::string> rows(columns[0].texts.size());
  for (const ParquetColumn& column : columns)
    for (std::size_t i = 0; i < rows.size(); ++i)
      rows[i] += (column.is_text ? column.texts[i].value_or("")
                                 : std::to_string(static_cast<int>(column.numbers[i].value_or(-99)))) +
                 "|";
  std::ranges::sort(rows);
  return rows;
}

TEST(Parquet, IsReadHoweverPandasWritesIt) {
  std::vector<std::string> expected;
  const auto table = read_csv(parquet_folder + "table.csv");
  ASSERT_TRUE(succeeded(table));
  for (std::size_t i = 1; i < table->size(); ++i) {
    std::string row;
    for (const std::string& field : (*table)[i].fields) row += field + "|";
    expected.push_back(row);
  }
  std::ranges::sort(expected);
  ASSERT_EQ(expected.size(), 60u);
  for (const char* const name : {"pandas", "uncompressed", "page_v2", "page_v2_uncompressed", "plain", "old",
                                 "groups", "shuffled", "float_hours", "int32_hours"}) {
    const auto columns = read_parquet(parquet_folder + name + ".parquet", parquet_names);
    ASSERT_TRUE(succeeded(columns)) << name;
    EXPECT_EQ(rows_of(*columns), expected) << name;
  }
  const auto empty = read_parquet(parquet_folder + "empty.parquet", parquet_names);
  ASSERT_TRUE(succeeded(empty));
  EXPECT_TRUE((*empty)[0].texts.empty());
}

TEST(Parquet, RefusesWhatItCannotRead) {
  using enum ErrorCode;
  const auto read = [](const char* name, std::vector<std::string> names = parquet_names) {
    return read_parquet(parquet_folder + name + ".parquet", names);
  };
  EXPECT_TRUE(refused(read("zstd"), unsupported, {"zstd.parquet", "compression number 6", "Snappy"}));
  EXPECT_TRUE(refused(read("gzip"), unsupported, {"compression number 2"}));
  EXPECT_TRUE(refused(read("delta"), unsupported, {"hour_utc", "encoding number 5"}));
  EXPECT_TRUE(refused(read("pandas", {"row_id", "month"}), not_found, {"'month'"}));
  EXPECT_TRUE(refused(read("none"), not_found));
}

/// Cut off anywhere and with any byte changed, it is read or refused. (tests/fuzz goes on.)
TEST(Parquet, IsReadOrRefusedHoweverDamaged) {
  for (const auto& [name, step] : {std::pair{"pandas", 2}, {"page_v2_uncompressed", 5}, {"groups", 17}}) {
    const std::string whole = read_bytes(parquet_folder + std::string(name) + ".parquet");
    const auto parse = [](const std::string& file) {
      const auto columns =
          parse_parquet(std::as_bytes(std::span(file.data(), file.size())), parquet_names, "t.parquet");
      if (!columns) {
        EXPECT_FALSE(columns.error().message().empty());
      }
      return columns.ok();
    };
    ASSERT_TRUE(parse(whole));
    std::size_t refusals = 0;
    for (std::size_t at = 0; at < whole.size(); at += static_cast<std::size_t>(step)) {
      EXPECT_FALSE(parse(whole.substr(0, at)));
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ (at % 3 == 0 ? 0xff : 1 << at % 8));
      refusals += !parse(changed);
    }
    EXPECT_GT(refusals, 50u);
  }
}

}  // namespace
}  // namespace pantanal
