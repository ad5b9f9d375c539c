// Blocks written by hand; what pyarrow compresses is read in parquet_test.cpp.
#include "pantanal/io/snappy.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pantanal {
namespace {

using std::string_literals::operator""s;

std::optional<std::string> snappy_text(const std::string& block, std::size_t size) {
  const auto found = decompress_snappy(std::as_bytes(std::span(block.data(), block.size())), size);
  if (!found) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(found->data()), found->size());
}

TEST(Snappy, ReadsLiteralsAndCopies) {
  EXPECT_EQ(snappy_text("\x00"s, 0), "");
  EXPECT_EQ(snappy_text("\x03\x08"
                        "abc"s,
                        3),
            "abc");
  EXPECT_EQ(snappy_text("\x0a\x00"
                        "a\x15\x01"s,
                        10),
            "aaaaaaaaaa");  // 1 + 9, overlapping
  EXPECT_EQ(snappy_text("\x08\x0c"
                        "abcd\x0e\x04\x00"s,
                        8),
            "abcdabcd");  // offset of two bytes
  EXPECT_EQ(snappy_text("\x08\x0c"
                        "abcd\x0f\x04\x00\x00\x00"s,
                        8),
            "abcdabcd");  // and of four
  const std::string text(300, 'x');
  EXPECT_EQ(snappy_text("\xac\x02\xf4\x2b\x01"s + text, 300), text);  // a literal's length in two bytes
}

TEST(Snappy, RefusesWhatIsNone) {
  EXPECT_FALSE(snappy_text("", 0));
  EXPECT_FALSE(
      snappy_text("\x03\x08"
                  "abc"s,
                  4));  // another size
  EXPECT_FALSE(
      snappy_text("\x03\x08"
                  "ab"s,
                  3));  // breaks off
  EXPECT_FALSE(
      snappy_text("\x02\x08"
                  "abc"s,
                  2));  // more than it says
  EXPECT_FALSE(
      snappy_text("\x05\x00"
                  "a\x01\x02"s,
                  5));  // an offset before the start
  EXPECT_FALSE(
      snappy_text("\x05\x00"
                  "a\x01\x00"s,
                  5));  // of 0
  EXPECT_FALSE(
      snappy_text("\x05\x00"
                  "a\x02\x01"s,
                  5));  // half an offset
  EXPECT_FALSE(snappy_text("\x80\x80\x80\x80\x80\x80\x01"s, 0));
  EXPECT_FALSE(snappy_text("\x80\x80\x80\x80\x04\xfe\x01\x00"s, std::size_t{1} << 30));  // a bomb
}

}  // namespace
}  // namespace pantanal
