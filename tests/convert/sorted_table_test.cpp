#include "savedmodel/sorted_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "checkpoint_writer.hpp"

namespace pantanal::convert {
namespace {

using fixtures::block_end;
using fixtures::block_entry;
using fixtures::TableWriter;

std::string table_error(std::string_view file) {
  const auto table = read_sorted_table(file, "t.index");
  EXPECT_FALSE(table.ok());
  return table.ok() ? "" : table.error().message();
}

/// A table of one data block with these contents.
std::string table_of(const std::string& block, char compression = 0) {
  TableWriter writer;
  const std::string handle = writer.add_block(block, compression);
  return writer.finish({handle});
}

TEST(SortedTable, MasksChecksumsAsLevelDbDoes) {
  // CRC-32C of 32 zero bytes is 0x8a9136aa (RFC 3720, B.4).
  EXPECT_EQ(fixtures::masked_crc32c_of(std::string(32, '\0')),
            ((0x8a9136aau >> 15) | (0x8a9136aau << 17)) + 0xa282ead8u);
}

TEST(SortedTable, ReadsEveryBlockInOrder) {
  const std::string file =
      fixtures::make_table({{{"", "header"}, {"a", "1"}, {"ab", ""}}, {{"abc", "3"}, {"b", "4"}}});
  const auto table = read_sorted_table(file, "t.index");
  ASSERT_TRUE(table.ok()) << table.error().message();
  std::map<std::string, std::string> found;
  for (const TableEntry& entry : *table) found[entry.key] = entry.value;
  EXPECT_EQ(found, (std::map<std::string, std::string>{
                       {"", "header"}, {"a", "1"}, {"ab", ""}, {"abc", "3"}, {"b", "4"}}));
}

TEST(SortedTable, AnEmptyTableHasNoEntries) {
  const auto table = read_sorted_table(TableWriter().finish({}), "t.index");
  ASSERT_TRUE(table.ok()) << table.error().message();
  EXPECT_TRUE(table->empty());
}

TEST(SortedTable, EveryChangedByteIsAnError) {
  const std::string file = fixtures::make_table({{{"", "header"}, {"a", "1"}, {"ab", "2"}}, {{"b", "4"}}});
  for (std::size_t i = 0; i < file.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = file;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      EXPECT_FALSE(read_sorted_table(changed, "t.index").ok()) << "byte " << i << " bit " << bit;
    }
}

TEST(SortedTable, EveryTruncationIsAnError) {
  const std::string file = fixtures::make_table({{{"", "header"}, {"a", "1"}}});
  for (std::size_t size = 0; size < file.size(); ++size)
    EXPECT_FALSE(read_sorted_table(std::string_view(file).substr(0, size), "t.index").ok()) << size;
}

TEST(SortedTable, SaysWhatIsWrongWithAFile) {
  EXPECT_NE(table_error("short").find("t.index: footer: corrupt: found 5 bytes"), std::string::npos);
  EXPECT_NE(table_error(std::string(100, 'x')).find("another file type or a truncated file"),
            std::string::npos);
  std::string file = table_of(block_entry(0, "a", "1") + block_end());
  file[3] = 'b';
  EXPECT_NE(table_error(file).find("data block at byte 0: corrupt: found another checksum"),
            std::string::npos);
}

TEST(SortedTable, RefusesCompressedBlocks) {
  EXPECT_NE(table_error(table_of(block_end(), 1)).find("unsupported: found Snappy compression"),
            std::string::npos);
  EXPECT_NE(table_error(table_of(block_end(), 4)).find("unsupported: found compression 4"),
            std::string::npos);
}

TEST(SortedTable, RefusesMalformedBlocksWithGoodChecksums) {
  const std::string huge = fixtures::varint(~0ull);
  for (const std::string& block : {
           std::string(),
           std::string("abc"),  // no list of restart points
           fixtures::fixed(2, 4),
           fixtures::fixed(0xffffffff, 4),  // a list longer than the block
           "\x80" + block_end(),
           std::string(1, '\0') + block_end(),     // an entry cut off
           block_entry(1, "a", "") + block_end(),  // shares with no key
           block_entry(0, "a", "") + block_entry(2, "b", "") + block_end(),
           fixtures::varint(0) + huge + huge + "a" + block_end(),
           fixtures::varint(0) + fixtures::varint(1) + huge + "a" + block_end(),
           fixtures::varint(huge.size()) + huge + huge + block_end(),
       })
    EXPECT_NE(table_error(table_of(block)).find("corrupt"), std::string::npos);
}

TEST(SortedTable, RefusesKeysOutOfOrder) {
  EXPECT_NE(table_error(table_of(block_entry(0, "b", "") + block_entry(0, "a", "") + block_end()))
                .find("key 'a' after 'b'"),
            std::string::npos);
  EXPECT_NE(table_error(table_of(block_entry(0, "b", "") + block_entry(1, "", "") + block_end()))
                .find("key 'b' after 'b'"),
            std::string::npos);
}

TEST(SortedTable, RefusesAnIndexThatVisitsABlockTwice) {
  TableWriter writer;
  const std::string handle = writer.add_block(block_end());
  EXPECT_NE(table_error(writer.finish({handle, handle})).find("ascending blocks"), std::string::npos);
}

TEST(SortedTable, RefusesHandlesBeyondTheFile) {
  const std::uint64_t most = ~0ull;
  for (const auto& [offset, size] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {0, most}, {most, 0}, {most, most}, {most - 4, 4}, {0, 1u << 20}, {1u << 20, 0}})
    EXPECT_NE(table_error(TableWriter().finish({fixtures::varint(offset) + fixtures::varint(size)}))
                  .find("a block within"),
              std::string::npos);
}

TEST(SortedTable, PrefixCompressionCannotAskForUnboundedMemory) {
  // Each entry of a few bytes repeats a key of a megabyte and makes it longer: 200 of them would be 200 MB.
  std::string block = block_entry(0, std::string(1 << 20, 'k'), "");
  for (std::size_t i = 0; i < 200; ++i) block += block_entry((1 << 20) + i, "k", "");
  EXPECT_NE(table_error(table_of(block + block_end())).find("bytes of keys"), std::string::npos);
}

TEST(SortedTable, RandomBlocksAreReadOrRefused) {
  std::mt19937 random(5);
  for (int round = 0; round < 20000; ++round) {
    std::string block(random() % 30, '\0');
    for (char& byte : block) byte = static_cast<char>(random() % 6);
    const auto table = read_sorted_table(table_of(block + block_end()), "t.index");
    EXPECT_TRUE(table.ok() || table.error().code == ErrorCode::corrupt);
  }
}

}  // namespace
}  // namespace pantanal::convert
