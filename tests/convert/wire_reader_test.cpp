#include "savedmodel/wire_reader.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "checkpoint_writer.hpp"

namespace pantanal::convert {
namespace {

using Type = WireField::Type;

TEST(WireReader, VarintsComeBack) {
  for (const std::uint64_t value : {0ull, 1ull, 127ull, 128ull, 300ull, 1ull << 63, ~0ull}) {
    const std::string bytes = fixtures::varint(value) + "x";
    std::string_view rest = bytes;
    EXPECT_EQ(take_varint(rest), value);
    EXPECT_EQ(rest, "x");
  }
}

TEST(WireReader, RefusesVarintsThatAreCutOffTooLongOrPadded) {
  for (const std::string& bytes :
       {std::string(), std::string("\x80"), std::string(9, '\xff'), std::string(9, '\xff') + "\x02",
        std::string(10, '\x80') + '\0', std::string("\x81\0", 2)}) {
    std::string_view rest = bytes;
    EXPECT_EQ(take_varint(rest), std::nullopt);
  }
}

TEST(WireReader, ReadsEveryKindOfField) {
  const std::string message = fixtures::varint_field(1, 300) + fixtures::bytes_field(2, "abc") +
                              fixtures::fixed32_field(3, 0xdeadbeef) + fixtures::varint(4 << 3 | 1) +
                              fixtures::fixed(0x0123456789abcdef, 8);
  WireReader reader(message);
  auto field = reader.next();
  ASSERT_TRUE(field && field->is(1, Type::varint));
  EXPECT_EQ(field->value, 300u);
  field = reader.next();
  ASSERT_TRUE(field && field->is(2, Type::bytes));
  EXPECT_EQ(field->bytes, "abc");
  field = reader.next();
  ASSERT_TRUE(field && field->is(3, Type::fixed32));
  EXPECT_EQ(field->value, 0xdeadbeefu);
  field = reader.next();
  ASSERT_TRUE(field && field->is(4, Type::fixed64));
  EXPECT_EQ(field->value, 0x0123456789abcdefu);
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.ok());
}

TEST(WireReader, EveryTruncationIsNoticed) {
  const std::string message = fixtures::bytes_field(2, "abc");
  for (std::size_t size = 1; size < message.size(); ++size) {
    WireReader reader(std::string_view(message).substr(0, size));
    EXPECT_FALSE(reader.next());
    EXPECT_FALSE(reader.ok());
    EXPECT_FALSE(reader.next());
  }
}

TEST(WireReader, RefusesGroupsAndFieldZero) {
  for (const std::string& message :
       {fixtures::varint(1 << 3 | 3), fixtures::varint(1 << 3 | 7), fixtures::varint(0) + "x"}) {
    WireReader reader(message);
    EXPECT_FALSE(reader.next());
    EXPECT_FALSE(reader.ok());
  }
}

TEST(WireReader, RandomBytesEnd) {
  std::mt19937 random(3);
  for (int round = 0; round < 20000; ++round) {
    std::string message(random() % 40, '\0');
    for (char& byte : message) byte = static_cast<char>(random());
    WireReader reader(message);
    std::size_t fields = 0;
    while (const auto field = reader.next()) {
      ++fields;
      EXPECT_LE(field->bytes.size(), message.size());
    }
    EXPECT_LE(fields, message.size() / 2);
  }
}

}  // namespace
}  // namespace pantanal::convert
