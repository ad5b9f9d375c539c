#include "pantanal/core/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pantanal {
namespace {

TEST(Utf8, ReadsOneCharacter) {
  const auto expect = [](std::string_view bytes, std::size_t length, char32_t value) {
    EXPECT_EQ(read_utf8(bytes).length, length) << bytes;
    EXPECT_EQ(read_utf8(bytes).value, value) << bytes;
  };
  expect("abc", 1, U'a');
  expect(std::string_view("\0x", 2), 1, 0);
  expect("\xc3\xb3h", 2, 0xf3);
  expect("\xe2\x82\xac", 3, 0x20ac);
  expect("\xf0\x9f\x90\xa6.", 4, 0x1f426);
  expect("\xf4\x8f\xbf\xbf", 4, 0x10ffff);
}

TEST(Utf8, FindsWhatIsNone) {
  EXPECT_EQ(find_not_utf8(""), std::string_view::npos);
  EXPECT_EQ(find_not_utf8("J\xc3\xb3hann \xe2\x82\xac"), std::string_view::npos);
  EXPECT_EQ(find_not_utf8("caf\xe9"), 3u);             // Latin-1
  EXPECT_EQ(find_not_utf8("\xc3\xb3\xc0\xaf"), 2u);    // overlong
  EXPECT_EQ(find_not_utf8("a\xed\xa0\x80"), 1u);       // a surrogate
  EXPECT_EQ(find_not_utf8("ab\xf4\x90\x80\x80"), 2u);  // beyond Unicode
  EXPECT_EQ(find_not_utf8("abc\xe2\x82"), 3u);         // cut off
}

TEST(Utf8, EscapesWhatIsNone) {
  EXPECT_EQ(escape_not_utf8(""), "");
  EXPECT_EQ(escape_not_utf8("J\xc3\xb3hann \xe2\x82\xac"), "J\xc3\xb3hann \xe2\x82\xac");
  EXPECT_EQ(escape_not_utf8("caf\xe9_\xff\xe2\x82"), "caf\\xe9_\\xff\\xe2\\x82");
  EXPECT_EQ(find_not_utf8(escape_not_utf8("\x80\xed\xa0\x80")), std::string_view::npos);
}

}  // namespace
}  // namespace pantanal
