#include "pantanal/io/json.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/refused.hpp"

namespace pantanal {
namespace {

TEST(ParseJson, ReadsAValue) {
  const auto value = parse_json(R"({"a": [1, 2.5, "x\"[{"], "b": {"a": null}} )", "here");
  ASSERT_TRUE(succeeded(value));
  EXPECT_EQ((*value)["a"][1], 2.5);
  EXPECT_EQ((*value)["a"][2], "x\"[{");
}

TEST(ParseJson, RefusesWhatIsNotJson) {
  using std::string_literals::operator""s;
  for (const std::string& text : {""s, " "s, "{"s, "[1,]"s, "{\"a\":1}x"s, "{'a':1}"s, "nul"s, "[1e999]"s,
                                  "\"\xff\""s, "\"\xed\xa0\x80\""s, "{\"a\":1}\0"s, "{\"a\":1}\0{"s,
                                  "[\"\\ud800\"]"s, "[NaN]"s, "[\"a\nb\"]"s, "[0x10]"s, "[01]"s})
    EXPECT_TRUE(refused(parse_json(text, "here"), ErrorCode::corrupt, {"here", "not JSON"})) << text;
}

TEST(ParseJson, RefusesARepeatedKey) {
  EXPECT_TRUE(
      refused(parse_json(R"({"a":1,"b":{"k":1,"k":1}})", "here"), ErrorCode::corrupt, {"\"k\" twice"}));
  EXPECT_TRUE(refused(parse_json(R"({"a":1,"\u0061":2})", "here"), ErrorCode::corrupt, {"\"a\" twice"}));
  EXPECT_TRUE(succeeded(parse_json(R"([{"a":1},{"a":{"a":2}}])", "here")));
}

TEST(ParseJson, BoundsSizeAndDepth) {
  EXPECT_TRUE(succeeded(parse_json("[[1]]", "here", {.bytes = 5, .depth = 2})));
  EXPECT_TRUE(
      refused(parse_json("[[1]]", "here", {.bytes = 4}), ErrorCode::unsupported, {"5 bytes", "at most 4"}));
  EXPECT_TRUE(refused(parse_json("[[1]]", "here", {.depth = 1}), ErrorCode::corrupt, {"more than 1 deep"}));
  EXPECT_TRUE(succeeded(parse_json(R"(["[[[\"[[[",[1]])", "here", {.depth = 2})));
  EXPECT_TRUE(refused(parse_json(std::string(10'000'000, '['), "here"), ErrorCode::corrupt, {"deep"}));
}

TEST(ParseJson, TakesLinearTime) {  // with a quadratic builder, this takes minutes
  std::string text = "[";
  for (int i = 0; i < 1'000'000; ++i) text += "{},";
  const auto value = parse_json(text + "{}]", "here");
  ASSERT_TRUE(succeeded(value));
  EXPECT_EQ(value->size(), 1'000'001u);
}

TEST(ParseJson, BuildsWhatTheParserReads) {
  const std::string text =
      R"({"a":[{"b":[[],{},[1,-2,2.5,1e-7,true,false,null]]},"x"],"c":{"d":{"e":18446744073709551615}},"f":""})";
  const auto value = parse_json(text, "here");
  ASSERT_TRUE(succeeded(value));
  EXPECT_EQ(*value, nlohmann::json::parse(text));
  EXPECT_EQ(*parse_json(" 7 ", "here"), 7);
}

TEST(JsonText, GivesTextOrSaysWhatIsWrong) {
  EXPECT_EQ(*json_text(nlohmann::json{{"a", {1, "é"}}}, "here"), "{\"a\":[1,\"é\"]}");
  EXPECT_TRUE(
      refused(json_text(nlohmann::json("\xc3"), "here"), ErrorCode::invalid_argument, {"here", "UTF-8"}));
}

}  // namespace
}  // namespace pantanal
