#include "pantanal/output/file_name_text.hpp"

#include <gtest/gtest.h>

namespace pantanal::output {
namespace {

TEST(FileNameText, DecodesUtf8) {
  EXPECT_EQ(decode_file_name("a/b.wav"), U"a/b.wav");
  EXPECT_EQ(decode_file_name("J\xc3\xb3"
                             "hann.ogg"),
            U"J\u00f3hann.ogg");
  EXPECT_EQ(decode_file_name("\xe2\x82\xac\xf0\x9f\x90\xa6"), U"\u20ac\U0001f426");
  EXPECT_EQ(decode_file_name("\xf4\x8f\xbf\xbf"), U"\U0010ffff");
  EXPECT_EQ(decode_file_name(""), U"");
}

/// Each of these bytes by itself, escaped.
std::u32string escaped(std::string_view bytes) {
  std::u32string text;
  for (const char byte : bytes) text += 0xdc00u + static_cast<unsigned char>(byte);
  return text;
}

TEST(FileNameText, KeepsBytesThatAreNotUtf8) {
  EXPECT_EQ(decode_file_name("caf\xe9.wav"), U"caf" + escaped("\xe9") + U".wav");  // Latin-1
  for (const std::string_view bytes :
       {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf",  // overlong
        "\xed\xa0\x80", "\xed\xbf\xbf",                                      // surrogates
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",                              // beyond Unicode
        "\xe2\x82", "\xf0\x9f\x90", "\xc3", "\xff"})                         // cut short, never valid
    EXPECT_EQ(decode_file_name(bytes), escaped(bytes));
}

TEST(FileNameText, GoesOnAfterASequenceThatBreaksOff) {
  EXPECT_EQ(decode_file_name("\xe2\x82"
                             "a"),
            escaped("\xe2\x82") + U"a");
  EXPECT_EQ(decode_file_name("\xe2\xc3\xb3"), escaped("\xe2") + U"\u00f3");
}

}  // namespace
}  // namespace pantanal::output
