#include "pantanal/io/parquet_values.hpp"

#include <gtest/gtest.h>

namespace pantanal {
namespace {

using std::string_literals::operator""s;

std::optional<std::vector<std::uint32_t>> runs_of(const std::string& text, unsigned width,
                                                  std::size_t count) {
  return read_parquet_runs(std::as_bytes(std::span(text.data(), text.size())), width, count);
}

TEST(ParquetRuns, AreEqualOrPacked) {
  using Numbers = std::vector<std::uint32_t>;
  EXPECT_EQ(runs_of("\x08\x03"s, 2, 4), (Numbers{3, 3, 3, 3}));
  // The example of the format's description: 0 to 7 in three bits each.
  EXPECT_EQ(runs_of("\x03\x88\xc6\xfa"s, 3, 8), (Numbers{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(runs_of("\x03\x88\xc6\xfa\x04\x02"s, 3, 10), (Numbers{0, 1, 2, 3, 4, 5, 6, 7, 2, 2}));
  EXPECT_EQ(runs_of("\x04\x01\x02\x03\x04"s, 32, 2), (Numbers{0x04030201, 0x04030201}));
  EXPECT_EQ(runs_of("\x06"s, 0, 3), (Numbers{0, 0, 0}));
  EXPECT_EQ(runs_of("", 3, 0), Numbers());
}

TEST(ParquetRuns, AreRefusedWhereTheyBreakOff) {
  EXPECT_FALSE(runs_of("", 1, 1));
  EXPECT_FALSE(runs_of("\x08"s, 2, 4));
  EXPECT_FALSE(runs_of("\x08\x03"s, 2, 5));
  EXPECT_FALSE(runs_of("\x03\x88\xc6"s, 3, 8));
  EXPECT_FALSE(runs_of("\x00\x01"s, 1, 1));
  EXPECT_FALSE(runs_of("\x02\x02"s, 1, 1));  // a number of more bits
  EXPECT_FALSE(runs_of("\xff\xff\xff\xff\xff\xff\xff"s, 1, 1));
  EXPECT_FALSE(runs_of("\x08\x03"s, 33, 1));
}

TEST(ParquetPlain, HoldsTextsAndNumbers) {
  const auto plain = [](const std::string& text, ParquetType type, std::size_t count) {
    return read_parquet_plain(std::as_bytes(std::span(text.data(), text.size())), type, count);
  };
  EXPECT_EQ(plain("\x02\0\0\0ab\0\0\0\0"s, ParquetType::bytes, 2)->texts,
            (std::vector<std::string>{"ab", ""}));
  EXPECT_EQ(plain("\xff\xff\xff\xff\x07\0\0\0"s, ParquetType::int32, 2)->numbers,
            (std::vector<double>{-1, 7}));
  EXPECT_EQ(plain("\x03\0\0\0\0\0\0\0"s, ParquetType::int64, 1)->numbers, (std::vector<double>{3}));
  EXPECT_EQ(plain("\0\0\x80\x3f"s, ParquetType::real32, 1)->numbers, (std::vector<double>{1}));
  EXPECT_EQ(plain("\0\0\0\0\0\0\x10\x40"s, ParquetType::real64, 1)->numbers, (std::vector<double>{4}));
  EXPECT_FALSE(plain("\x03\0\0\0ab"s, ParquetType::bytes, 1));
  EXPECT_FALSE(plain("\x03\0"s, ParquetType::bytes, 1));
  EXPECT_FALSE(plain("\x03\0\0\0\0\0\0\0"s, ParquetType::int64, 2));
}

}  // namespace
}  // namespace pantanal
