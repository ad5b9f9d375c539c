#include "pantanal/io/csv.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

namespace pantanal {
namespace {

using Fields = std::vector<std::string>;

std::vector<Fields> fields_of(std::string_view text) {
  const auto rows = parse_csv(text, "t.csv");
  EXPECT_TRUE(rows.ok()) << rows.error().message();
  std::vector<Fields> all;
  if (rows)
    for (const CsvRow& row : *rows) all.push_back(row.fields);
  return all;
}

std::string error_of(std::string_view text) {
  const auto rows = parse_csv(text, "t.csv");
  EXPECT_FALSE(rows.ok()) << text;
  return rows.ok() ? "" : rows.error().message();
}

TEST(Csv, ReadsPlainFields) {
  EXPECT_EQ(fields_of("a,b\n1,2\n"), (std::vector<Fields>{{"a", "b"}, {"1", "2"}}));
}

TEST(Csv, TheLastLineNeedsNoEnd) {
  EXPECT_EQ(fields_of("a,b\n1,2"), (std::vector<Fields>{{"a", "b"}, {"1", "2"}}));
}

TEST(Csv, AcceptsEveryLineEnd) {
  EXPECT_EQ(fields_of("a\r\nb\rc\nd"), (std::vector<Fields>{{"a"}, {"b"}, {"c"}, {"d"}}));
}

TEST(Csv, SkipsAByteOrderMarkAndEmptyLines) {
  EXPECT_EQ(fields_of("\xEF\xBB\xBFname\n\n\r\nx\n\n"), (std::vector<Fields>{{"name"}, {"x"}}));
}

TEST(Csv, KeepsEmptyFieldsAndBlanks) {
  EXPECT_EQ(fields_of(",,\n a ,\"\",c\n"), (std::vector<Fields>{{"", "", ""}, {" a ", "", "c"}}));
}

TEST(Csv, ReadsQuotedFields) {
  EXPECT_EQ(fields_of("\"a,b\",\"say \"\"hi\"\"\"\n\"two\r\nlines\",x\n"),
            (std::vector<Fields>{{"a,b", "say \"hi\""}, {"two\r\nlines", "x"}}));
}

TEST(Csv, NothingHasNoRows) {
  EXPECT_TRUE(fields_of("").empty());
  EXPECT_TRUE(fields_of("\n\r\n\n").empty());
}

TEST(Csv, CountsLinesThroughQuotedLineEnds) {
  const auto rows = parse_csv("h,i\r\n\"a\nb\",1\r\n\r\nc,2\r\n", "t.csv");
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_EQ((*rows)[1].line, 2u);
  EXPECT_EQ((*rows)[2].line, 5u);
}

TEST(Csv, RefusesMalformedQuotesNamingTheLine) {
  EXPECT_EQ(error_of("a\nb\"c\n"),
            "t.csv:2: corrupt: found a quote inside an unquoted field, expected the whole field in quotes");
  EXPECT_EQ(error_of("a\n\"b\"c\n"),
            "t.csv:2: corrupt: found text after a closing quote, expected a comma or the end of the line");
  EXPECT_EQ(error_of("a\n\"b\nc\n"),
            "t.csv:2: corrupt: found a quote that is never closed, expected a closing quote");
  EXPECT_NE(error_of("\""), "");
  EXPECT_NE(error_of("\"\"\""), "");
}

TEST(Csv, RefusesRowsOfAnotherLength) {
  EXPECT_EQ(error_of("a,b\n1,2\n3\n"), "t.csv:3: corrupt: found 1 fields, expected 2 as in line 1");
  EXPECT_EQ(error_of("a,b\n1,2,3\n"), "t.csv:2: corrupt: found 3 fields, expected 2 as in line 1");
}

TEST(Csv, WhatIsWrittenReadsBack) {
  std::mt19937 random(7);
  const std::string alphabet = "ab ,\"\r\n;'";
  for (int round = 0; round < 500; ++round) {
    std::vector<Fields> written(1 + random() % 4, Fields(1 + random() % 3));
    std::string text;
    const std::size_t columns = written.front().size();
    for (Fields& fields : written) {
      fields.resize(columns);
      for (std::string& field : fields)
        for (std::size_t n = random() % 6; n > 0; --n) field += alphabet[random() % alphabet.size()];
      text += csv_line(fields);
    }
    ASSERT_EQ(fields_of(text), written) << text;
  }
}

TEST(Csv, QuotesOnlyWhereNeeded) {
  EXPECT_EQ(csv_field("Guyalna cuta"), "Guyalna cuta");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(csv_field(""), "");
  EXPECT_EQ(csv_line(Fields{"x", "", "y\n"}), "x,,\"y\n\"\n");
}

TEST(Csv, EveryTextOfAFewBytesIsReadOrRefused) {
  const std::string alphabet = "a,\"\r\n";
  for (int code = 0; code < 5 * 5 * 5 * 5 * 5 * 5; ++code) {
    std::string text;
    for (int rest = code; text.size() < 6; rest /= 5) text += alphabet[static_cast<std::size_t>(rest % 5)];
    const auto rows = parse_csv(text, "t.csv");
    if (rows.ok())
      for (const CsvRow& row : *rows) EXPECT_EQ(row.fields.size(), rows->front().fields.size());
    else
      EXPECT_EQ(rows.error().code, ErrorCode::corrupt);
  }
}

TEST(Csv, FindsColumnsByName) {
  const CsvRow header{1, {"id", "name"}};
  EXPECT_EQ(*find_column(header, "name", "t.csv"), 1u);
  EXPECT_EQ(find_column(header, "Name", "t.csv").error().message(),
            "t.csv:1: not found: found columns 'id' 'name', expected a column 'Name'");
}

TEST(Csv, ReadsFilesAndRefusesWhatIsNone) {
  const auto path = std::filesystem::temp_directory_path() / "pantanal_csv_test.csv";
  std::ofstream(path, std::ios::binary) << "a,b\r\n1,\"x\"\r\n";
  const auto rows = read_csv(path);
  ASSERT_TRUE(rows.ok()) << rows.error().message();
  EXPECT_EQ(rows->back().fields, (Fields{"1", "x"}));
  std::ofstream(path, std::ios::binary | std::ios::trunc).close();
  EXPECT_TRUE(read_csv(path).ok());
  std::filesystem::remove(path);
  EXPECT_EQ(read_csv(path).error().code, ErrorCode::not_found);
  EXPECT_EQ(read_csv(std::filesystem::temp_directory_path()).error().code, ErrorCode::io);
}

}  // namespace
}  // namespace pantanal
