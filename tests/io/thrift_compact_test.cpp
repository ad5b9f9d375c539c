#include "pantanal/io/thrift_compact.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pantanal {
namespace {

std::span<const std::byte> thrift_bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST(ThriftReader, ReadsFieldsAndLeavesOthersOut) {
  using std::string_literals::operator""s;
  // 1: i32 -3; 2: a structure {1: true}; 3: a map {1: "x"}; 5: "ab"; 300: a list of i64 {5, -1}; 301: a
  // double.
  const std::string text =
      "\x15\x05\x1c\x11\x00\x1b\x01\x58\x02\x01x\x28\x02"
      "ab\x09\xd8\x04\x26\x0a\x01\x17"
      "12345678\x00"s;
  ThriftReader in(thrift_bytes(text));
  std::int64_t number = 0;
  std::string word;
  std::vector<std::int64_t> list;
  std::vector<std::int64_t> ids;
  in.read_struct([&](std::int64_t id, ThriftReader::Type type) {
    ids.push_back(id);
    if (id == 1) number = in.read_integer();
    if (id == 5) word = in.read_text();
    if (id == 300) in.read_list(ThriftReader::Type::i64, [&] { list.push_back(in.read_integer()); });
    EXPECT_NE(type, ThriftReader::Type::stop);
    return id == 1 || id == 5 || id == 300;
  });
  EXPECT_FALSE(in.failed());
  EXPECT_EQ(in.position(), text.size());
  EXPECT_EQ(ids, (std::vector<std::int64_t>{1, 2, 3, 5, 300, 301}));
  EXPECT_EQ(number, -3);
  EXPECT_EQ(word, "ab");
  EXPECT_EQ(list, (std::vector<std::int64_t>{5, -1}));
}

TEST(ThriftReader, EndsWhateverItIsGiven) {
  const std::string wrong[] = {
      "",                                                  // no end
      "\x15",                                              // a number that is missing
      "\x15\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  // one that does not end
      "\x18\x7f"
      "ab",                        // a text that breaks off
      "\x19\xf5\xff\xff\xff\x7f",  // a list of more items than bytes
      "\x1d",                      // no type of this number
      std::string(100, '\x1c'),    // structures in structures
      std::string(100, '\x19'),    // lists of lists
  };
  for (const std::string& text : wrong) {
    ThriftReader in(thrift_bytes(text));
    in.read_struct([](std::int64_t, ThriftReader::Type) { return false; });
    EXPECT_TRUE(in.failed()) << testing::PrintToString(text);
    EXPECT_LE(in.position(), text.size());
    EXPECT_EQ(in.read_integer(), 0);
    EXPECT_EQ(in.read_text(), "");
  }
}

}  // namespace
}  // namespace pantanal
