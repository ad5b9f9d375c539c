#include "pantanal/io/varint.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace pantanal {
namespace {

using std::string_literals::operator""s;

/// The number at the text's start and how many bytes were read.
std::pair<std::optional<std::uint64_t>, std::size_t> varint_of(const std::string& text, unsigned most_bytes) {
  std::size_t at = 0;
  const auto value = read_varint(std::as_bytes(std::span(text.data(), text.size())), at, most_bytes);
  return {value, at};
}

TEST(Varint, ReadsSevenBitsToAByte) {
  EXPECT_EQ(varint_of("\x00"s, 5), std::pair(std::optional<std::uint64_t>(0), std::size_t{1}));
  EXPECT_EQ(varint_of("\x7f\xff"s, 5), std::pair(std::optional<std::uint64_t>(127), std::size_t{1}));
  EXPECT_EQ(varint_of("\xac\x02"s, 5), std::pair(std::optional<std::uint64_t>(300), std::size_t{2}));
  EXPECT_EQ(varint_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s, 10),
            std::pair(std::optional(std::numeric_limits<std::uint64_t>::max()), std::size_t{10}));
}

TEST(Varint, EndsWithTheBytesOrTheLimit) {
  EXPECT_EQ(varint_of("", 5).first, std::nullopt);
  EXPECT_EQ(varint_of("\xff\xff", 5).first, std::nullopt);
  EXPECT_EQ(varint_of("\x80\x80\x00"s, 2), std::pair(std::optional<std::uint64_t>(), std::size_t{2}));
}

}  // namespace
}  // namespace pantanal
