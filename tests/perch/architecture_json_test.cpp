#include "pantanal/perch/architecture_json.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/refused.hpp"
#include "perch/random_model.hpp"

namespace pantanal::perch {
namespace {

using fixtures::perch_v2_architecture;
using fixtures::smallest_architecture;
using fixtures::tiny_architecture;
using nlohmann::json;

json tiny_json() { return json::parse(architecture_json(tiny_architecture())); }

TEST(ArchitectureJson, ComesBackTheSame) {
  for (const Architecture& architecture :
       {perch_v2_architecture(14795), tiny_architecture(), smallest_architecture()}) {
    const std::string text = architecture_json(architecture);
    const auto read = parse_architecture(text);
    ASSERT_TRUE(succeeded(read));
    EXPECT_EQ(architecture_json(*read), text);
    EXPECT_EQ(read->extents(), architecture.extents());
    EXPECT_EQ(read->blocks.size(), architecture.blocks.size());
  }
}

TEST(ArchitectureJson, HasTheDocumentedForm) {
  const json value = tiny_json();
  EXPECT_EQ(value["frontend"]["fft_size"], 512);
  EXPECT_EQ(value["frontend"].size(), 10u);
  EXPECT_EQ(value["stem"]["conv"], json::parse(R"({"kernel":3,"stride":2,"pads":[0,0,0,0]})"));
  EXPECT_EQ(value["blocks"].size(), 14u);
  EXPECT_EQ(value["blocks"][2]["depthwise"]["pads"], json::parse("[1,1,1,1]"));
  EXPECT_EQ(value["blocks"][0]["has_expand"], false);
  EXPECT_EQ(value["blocks"][1]["has_skip"], true);
  EXPECT_EQ(value["blocks"][0]["expand_activation"], "relu");
  EXPECT_EQ(value["blocks"][1]["expand_activation"], "swish");
  EXPECT_EQ(value["label"]["classes"], 7);
}

TEST(ArchitectureJson, WritesFloatsShortAndReadsThemBackExactly) {
  EXPECT_NE(architecture_json(tiny_architecture()).find("\"floor\":1e-05,\"scale\":0.1}"), std::string::npos);
  for (std::uint32_t bits = 0x33000000; bits < 0x3f800000; bits += 0x00012347) {
    Architecture architecture = smallest_architecture();
    architecture.frontend.floor = std::bit_cast<float>(bits);
    const auto read = parse_architecture(architecture_json(architecture));
    ASSERT_TRUE(succeeded(read));
    EXPECT_EQ(std::bit_cast<std::uint32_t>(read->frontend.floor), bits);
  }
}

TEST(ArchitectureJson, KeepsEveryActivation) {
  for (const Activation activation : {Activation::none, Activation::relu, Activation::swish}) {
    Architecture architecture = smallest_architecture();
    architecture.stem.activation = architecture.head.activation = activation;
    const auto read = parse_architecture(architecture_json(architecture));
    ASSERT_TRUE(succeeded(read));
    EXPECT_EQ(read->stem.activation, activation);
    EXPECT_EQ(read->head.activation, activation);
  }
}

/// Every place of an object's key within `value`, under `path`.
std::vector<json::json_pointer> keys_in(const json& value,
                                        const json::json_pointer& path = json::json_pointer()) {
  std::vector<json::json_pointer> keys;
  for (const auto& [key, child] : value.items()) {
    const json::json_pointer place = path / key;
    if (value.is_object()) keys.push_back(place);
    if (!child.is_structured()) continue;
    const std::vector<json::json_pointer> deeper =
        keys_in(child, value.is_object() ? place : path / std::stoul(key));
    keys.insert(keys.end(), deeper.begin(), deeper.end());
  }
  return keys;
}

TEST(ParseArchitecture, NeedsEveryField) {
  const json value = tiny_json();
  const std::vector<json::json_pointer> keys = keys_in(value);
  EXPECT_EQ(keys.size(), 5u + 10 + 3 + 3 + 14 * (10 + 3) + 2 + 3);
  for (const json::json_pointer& key : keys) {
    json changed = value;
    changed[key.parent_pointer()].erase(key.back());
    EXPECT_TRUE(refused(parse_architecture(changed.dump(), "file"), ErrorCode::not_found,
                        {key.back(), "no such key"}))
        << key.to_string();
  }
  json changed = value;
  changed["blocks"][4]["depthwise"].erase("stride");
  EXPECT_TRUE(refused(parse_architecture(changed.dump(), "file"), ErrorCode::not_found,
                      {"file: architecture.blocks[4].depthwise.stride"}));
}

TEST(ParseArchitecture, RefusesValuesOfAnotherKind) {
  const json value = tiny_json();
  for (const json& other :
       {json(nullptr), json("text"), json(-1), json(1e300), json::array(), json::object()})
    for (const json::json_pointer& key : keys_in(value)) {
      if (key.back() == "scale" && other == -1) continue;  // a scale may be negative
      json changed = value;
      changed[key] = other;
      EXPECT_FALSE(parse_architecture(changed.dump(), "file")) << key.to_string() << " = " << other;
    }
}

TEST(ParseArchitecture, NeedsFourPads) {
  for (const char* pads : {"[1,1,1]", "[1,1,1,1,1]", "[1,1,1,-1]", "[1,1,1,1.5]", "[1,1,1,null]", "1"}) {
    json value = tiny_json();
    value["blocks"][2]["depthwise"]["pads"] = json::parse(pads);
    EXPECT_TRUE(refused(parse_architecture(value.dump(), "file"), ErrorCode::mismatch,
                        {"file: architecture.blocks[2].depthwise.pads"}))
        << pads;
  }
}

TEST(ParseArchitecture, RefusesUnknownKeysEverywhere) {
  json value = tiny_json();
  for (const char* path :
       {"", "/frontend", "/stem", "/stem/conv", "/blocks/5", "/blocks/5/depthwise", "/head", "/label"}) {
    json changed = value;
    changed[json::json_pointer(path)]["dilation"] = 1;
    EXPECT_TRUE(refused(parse_architecture(changed.dump(), "file"), ErrorCode::mismatch,
                        {"unknown key \"dilation\""}))
        << path;
  }
}

TEST(ParseArchitecture, SaysWhatIsWrongAndWhere) {
  json value = tiny_json();
  value["blocks"][1]["se_activation"] = "gelu";
  EXPECT_TRUE(refused(parse_architecture(value.dump(), "file"), ErrorCode::mismatch,
                      {"file: architecture.blocks[1].se_activation", "\"none\", \"relu\" or \"swish\""}));
  value = tiny_json();
  value["stem"]["channels"] = 5.5;
  EXPECT_TRUE(refused(parse_architecture(value.dump(), "file"), ErrorCode::mismatch,
                      {"architecture.stem.channels", "found 5.5", "a whole number"}));
  value = tiny_json();
  value["frontend"]["floor"] = 1e39;
  EXPECT_TRUE(refused(parse_architecture(value.dump()), ErrorCode::mismatch,
                      {"architecture.frontend.floor", "1e+39"}));
  value = tiny_json();
  value["stem"]["conv"]["kernel"] = 4;
  EXPECT_TRUE(refused(parse_architecture(value.dump()), ErrorCode::mismatch,
                      {"architecture.stem.conv.kernel", "odd"}));
}

TEST(ParseArchitecture, RefusesWhatIsNotAnObject) {
  for (const char* text : {"", "[]", "null", "1", "{}", "{\"frontend\":", "[[[[[[[[[["})
    EXPECT_FALSE(parse_architecture(text, "file")) << text;
  EXPECT_TRUE(
      refused(parse_architecture("[]", "file"), ErrorCode::mismatch, {"file: architecture", "an object"}));
  std::string doubled = architecture_json(tiny_architecture());
  doubled.insert(doubled.size() - 1, ",\"head\":{\"channels\":19,\"activation\":\"swish\"}");
  EXPECT_TRUE(refused(parse_architecture(doubled, "file"), ErrorCode::corrupt, {"\"head\" twice"}));
}

}  // namespace
}  // namespace pantanal::perch
