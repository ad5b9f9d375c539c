#include "pantanal/io/safetensors_header.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "core/refused.hpp"

namespace pantanal {
namespace {

/// A header of one F32 [2, 3] tensor "a", 24 bytes, with `from` replaced by `to`.
std::string header_with(std::string_view from, std::string_view to) {
  std::string text = R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})";
  if (!from.empty()) text.replace(text.find(from), from.size(), to);
  return text;
}

TEST(ParseSafetensorsHeader, ReadsEntriesAndMetadata) {
  const auto header = parse_safetensors_header(header_with("", "") + "   ", 24, "file");
  ASSERT_TRUE(succeeded(header));
  EXPECT_EQ(header->metadata.at("k"), "v");
  const SafetensorsEntry& entry = header->tensors.at("a");
  EXPECT_EQ(entry.dtype, "F32");
  EXPECT_EQ(entry.shape, (Shape{2, 3}));
  EXPECT_EQ(entry.begin, 0u);
  EXPECT_EQ(entry.end, 24u);
}

TEST(ParseSafetensorsHeader, AcceptsAnyOrderScalarsAndEmptyTensors) {
  const auto header = parse_safetensors_header(
      R"({"z":{"data_offsets":[0,4],"dtype":"I32","shape":[]},
          "e":{"dtype":"F64","shape":[0,9],"data_offsets":[4,4]},
          "a":{"dtype":"U8","shape":[3],"data_offsets":[4,7]}})",
      7, "file");
  ASSERT_TRUE(succeeded(header));
  EXPECT_EQ(header->tensors.size(), 3u);
  EXPECT_TRUE(header->metadata.empty());
  EXPECT_TRUE(succeeded(parse_safetensors_header("{}", 0, "file")));
}

struct BadHeader {
  std::string_view from, to;
  ErrorCode code;
  std::string_view says;
};

TEST(ParseSafetensorsHeader, RefusesWhatTheFormatForbids) {
  constexpr ErrorCode corrupt = ErrorCode::corrupt;
  const BadHeader cases[] = {
      {"{\"__m", " {\"__m", corrupt, "no '{' at its start"},
      {"}}", "}", corrupt, "not JSON"},
      {"{\"k\":\"v\"}", "[]", corrupt, "__metadata__: corrupt: found array"},
      {"\"v\"", "1", corrupt, "__metadata__.k: corrupt: found number"},
      {"\"k\":\"v\"", "\"k\":\"v\",\"k\":\"w\"", corrupt, "\"k\" twice"},
      {"\"__metadata__\":{\"k\":\"v\"}", "\"a\":{}", corrupt, "\"a\" twice"},
      {"\"dtype\":\"F32\",", "", corrupt, "file: a: corrupt"},
      {"\"dtype\":\"F32\"", "\"dtype\":\"F32\",\"x\":1", corrupt, "dtype, shape and data_offsets"},
      {"\"dtype\"", "\"type\"", corrupt, "dtype, shape and data_offsets"},
      {"\"F32\"", "32", corrupt, "a.dtype"},
      {"\"F32\"", "\"F33\"", ErrorCode::unsupported, "dtype F33"},
      {"\"F32\"", "\"f32\"", ErrorCode::unsupported, "dtype f32"},
      {"\"F32\"", "\"F64\"", corrupt, "24 bytes, expected 48"},
      {"[2,3]", "6", corrupt, "a.shape"},
      {"[2,3]", "[2,-3]", corrupt, "found -3"},
      {"[2,3]", "[2,3.0]", corrupt, "found 3.0"},
      {"[2,3]", "[2,\"3\"]", corrupt, "a.shape"},
      {"[2,3]", "[2,[3]]", corrupt, "more than 3 deep"},
      {"[2,3]", "[2,4]", corrupt, "24 bytes, expected 32, for F32 [2, 4]"},
      {"[2,3]", "[2]", corrupt, "24 bytes, expected 8"},
      {"[2,3]", "[9223372036854775808]", corrupt, "2^63 - 1"},
      {"[2,3]", "[4294967296,4294967296,0]", corrupt, "expected more"},
      {"[2,3]", "[4611686018427387910]", corrupt, "expected more"},
      {"[0,24]", "[0]", corrupt, "1 numbers, expected 2"},
      {"[0,24]", "[0,24,24]", corrupt, "3 numbers"},
      {"[0,24]", "[24,0]", corrupt, "data_offsets [24, 0]"},
      {"[0,24]", "[0,25]", corrupt, "within the 24 bytes"},
      {"[0,24]", "[18446744073709551615,24]", corrupt, "found 18446744073709551615"},
      {"[0,24]", "[0,9223372036854775807]", corrupt, "within the 24 bytes"},
      {"[0,24]", "[1,24]", corrupt, "23 bytes, expected 24"},
      {"[0,24]", "[0,1e1]", corrupt, "a.data_offsets"},
      {"[0,24]", "null", corrupt, "a.data_offsets: corrupt: found null"},
  };
  for (const BadHeader& bad : cases)
    EXPECT_TRUE(refused(parse_safetensors_header(header_with(bad.from, bad.to), 24, "file"), bad.code,
                        {"file: ", bad.says}))
        << bad.from << " -> " << bad.to;
}

TEST(ParseSafetensorsHeader, RefusesGapsOverlapsAndUnclaimedBytes) {
  const auto two = [](std::string_view first, std::string_view second) {
    return R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + std::string(first) +
           R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + std::string(second) + "}}";
  };
  const auto parse = [](const std::string& text) { return parse_safetensors_header(text, 8, "file"); };
  EXPECT_TRUE(succeeded(parse(two("[0,4]", "[4,8]"))));
  EXPECT_TRUE(succeeded(parse(two("[4,8]", "[0,4]"))));
  EXPECT_TRUE(refused(parse(two("[0,4]", "[3,7]")), ErrorCode::corrupt, {"b", "byte 3", "byte 4"}));
  EXPECT_TRUE(refused(parse(two("[0,4]", "[0,4]")), ErrorCode::corrupt, {"b", "byte 0", "byte 4"}));
  EXPECT_TRUE(refused(parse_safetensors_header(two("[0,4]", "[5,9]"), 9, "file"), ErrorCode::corrupt,
                      {"b", "byte 5", "byte 4"}));
  EXPECT_TRUE(refused(parse_safetensors_header(two("[1,5]", "[5,9]"), 9, "file"), ErrorCode::corrupt,
                      {"a", "byte 1"}));
  EXPECT_TRUE(refused(parse_safetensors_header(two("[0,4]", "[4,8]"), 9, "file"), ErrorCode::corrupt,
                      {"end of the file", "1 bytes"}));
  EXPECT_TRUE(refused(parse_safetensors_header("{}", 1, "file"), ErrorCode::corrupt, {"end of the file"}));
}

TEST(ParseSafetensorsHeader, RefusesAHugeHeader) {
  const std::string text = "{" + std::string(SafetensorsHeader::max_bytes, ' ') + "}";
  EXPECT_TRUE(
      refused(parse_safetensors_header(text, 0, "file"), ErrorCode::unsupported, {"at most 16777216"}));
}

/// Whether what was read keeps the promises that readers of tensors rely on.
bool is_sound(const SafetensorsHeader& header, std::uint64_t data_size) {
  for (const auto& [name, entry] : header.tensors) {
    const auto element = safetensors_element_size(entry.dtype);
    if (!element || entry.begin > entry.end || entry.end > data_size) return false;
    if (safetensors_byte_size(entry.shape, *element) != entry.end - entry.begin) return false;
  }
  return true;
}

TEST(ParseSafetensorsHeader, SurvivesRandomDamage) {
  const std::string original =
      R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
      R"("b":{"dtype":"U8","shape":[],"data_offsets":[24,25]},"c":{"dtype":"I64","shape":[0],"data_offsets":[25,25]}})";
  constexpr std::string_view alphabet = "{}[]\",:0123456789.-+eEFUItrue\\\xc3\xff\n ";
  std::mt19937 random(1);
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = original;
    for (auto edits = 1 + random() % 3; edits > 0; --edits) {
      const std::size_t place = random() % text.size();
      const char letter = alphabet[random() % alphabet.size()];
      switch (random() % 3) {
        case 0:
          text[place] = letter;
          break;
        case 1:
          text.insert(place, 1, letter);
          break;
        default:
          text.erase(place, 1 + random() % 8);
          break;
      }
    }
    const std::uint64_t data_size = random() % 4 == 0 ? random() % 64 : 25;
    const auto header = parse_safetensors_header(text, data_size, "file");
    if (!header) continue;
    ++accepted;
    EXPECT_TRUE(is_sound(*header, data_size)) << text;
  }
  EXPECT_GT(accepted, 100);
}

TEST(SafetensorsElementSize, KnowsTheFormatsWholeByteTypes) {
  EXPECT_EQ(safetensors_element_size("BOOL"), 1u);
  EXPECT_EQ(safetensors_element_size("BF16"), 2u);
  EXPECT_EQ(safetensors_element_size("F32"), 4u);
  EXPECT_EQ(safetensors_element_size("I64"), 8u);
  EXPECT_EQ(safetensors_element_size("F4"), std::nullopt);
  EXPECT_EQ(safetensors_element_size(""), std::nullopt);
}

TEST(SafetensorsChecksum, FindsItsDigitsOnlyIfThereIsOneEntry) {
  EXPECT_EQ(SafetensorsChecksum::text(0x00c0ffee), "crc32c:00c0ffee");
  const std::string entry = R"("checksum":"crc32c:12345678")";
  EXPECT_EQ(SafetensorsChecksum::find_digits("{" + entry + "}"), 20u);
  EXPECT_EQ(SafetensorsChecksum::find_digits("{" + entry + "," + entry + "}"), std::nullopt);
  EXPECT_EQ(SafetensorsChecksum::find_digits(R"({"checksum": "crc32c:12345678"})"), std::nullopt);
  EXPECT_EQ(SafetensorsChecksum::find_digits(R"({\"checksum\":\"crc32c:12345678\"})"), std::nullopt);
  EXPECT_EQ(SafetensorsChecksum::find_digits(R"("checksum":"crc32c:1234567)"), std::nullopt);
  EXPECT_EQ(SafetensorsChecksum::find_digits(""), std::nullopt);
}

}  // namespace
}  // namespace pantanal
