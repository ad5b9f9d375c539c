#include "pantanal/audio/byte_reader.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"

namespace pantanal::audio {
namespace {

TEST(LittleEndian, PutsTheFirstByteLowest) {
  const std::uint8_t bytes[] = {0x01, 0x02, 0x03, 0x84, 0x05, 0x06, 0x07, 0xf8};
  EXPECT_EQ(little_endian<std::uint16_t>(bytes), 0x0201);
  EXPECT_EQ(little_endian<std::uint32_t>(bytes), 0x84030201u);
  EXPECT_EQ(little_endian<std::uint64_t>(bytes), 0xf807060584030201u);
}

TEST(ByteReader, ReadsForwardAndSeeks) {
  const TemporaryFolder folder;
  write_bytes(folder / "f", "0123456789");
  auto file = ByteReader::open(folder / "f");
  ASSERT_TRUE(succeeded(file));
  EXPECT_EQ(file->size(), 10u);
  std::array<std::uint8_t, 6> bytes;
  EXPECT_EQ(*file->read(bytes), 6u);
  EXPECT_EQ(bytes[5], '5');
  EXPECT_EQ(file->position(), 6u);
  EXPECT_EQ(*file->read(bytes), 4u);
  EXPECT_EQ(*file->read(bytes), 0u);
  ASSERT_TRUE(succeeded(file->seek(2)));
  EXPECT_EQ(*file->read(std::span(bytes).first(1)), 1u);
  EXPECT_EQ(bytes[0], '2');
  EXPECT_EQ(file->position(), 3u);
}

TEST(ByteReader, RefusesWhatIsNoFile) {
  const TemporaryFolder folder;
  EXPECT_TRUE(refused(ByteReader::open(folder / "absent"), ErrorCode::not_found, {"absent", "no such file"}));
  EXPECT_TRUE(refused(ByteReader::open(folder.path()), ErrorCode::invalid_argument, {"a regular file"}));
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_TRUE(refused(ByteReader::open(folder / "pipe"), ErrorCode::invalid_argument, {"a regular file"}));
  write_bytes(folder / "f", "");
  EXPECT_TRUE(refused(ByteReader::open(folder / "f" / "g"), ErrorCode::not_found));
}

}  // namespace
}  // namespace pantanal::audio
