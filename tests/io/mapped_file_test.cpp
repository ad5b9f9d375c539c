#include "pantanal/io/mapped_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <utility>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"

namespace pantanal {
namespace {

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

TEST(MappedFile, ShowsTheBytes) {
  const TemporaryFolder folder;
  write_bytes(folder / "f", "forty-two");
  const auto file = MappedFile::open(folder / "f");
  ASSERT_TRUE(succeeded(file));
  EXPECT_EQ(text_of(*file), "forty-two");
}

TEST(MappedFile, AnEmptyFileHasNoBytes) {
  const TemporaryFolder folder;
  write_bytes(folder / "f", "");
  const auto file = MappedFile::open(folder / "f");
  ASSERT_TRUE(succeeded(file));
  EXPECT_TRUE(file->bytes().empty());
}

TEST(MappedFile, MovesWithoutMovingTheBytes) {
  const TemporaryFolder folder;
  write_bytes(folder / "f", "here");
  write_bytes(folder / "g", "there");
  MappedFile first = *MappedFile::open(folder / "f");
  const std::byte* const address = first.bytes().data();
  MappedFile second = std::move(first);
  EXPECT_EQ(second.bytes().data(), address);
  EXPECT_EQ(text_of(second), "here");
  second = *MappedFile::open(folder / "g");
  EXPECT_EQ(text_of(second), "there");
}

TEST(MappedFile, KeepsTheOldFileWhenANewOneIsRenamedOverIt) {
  const TemporaryFolder folder;
  write_bytes(folder / "f", "old");
  const auto file = MappedFile::open(folder / "f");
  ASSERT_TRUE(succeeded(file));
  write_bytes(folder / "g", "new and longer");
  std::filesystem::rename(folder / "g", folder / "f");
  EXPECT_EQ(text_of(*file), "old");
}

TEST(MappedFile, RefusesWhatIsNotAReadableRegularFile) {
  const TemporaryFolder folder;
  EXPECT_TRUE(refused(MappedFile::open(folder / "absent"), ErrorCode::not_found, {"absent", "No such file"}));
  EXPECT_TRUE(
      refused(MappedFile::open(folder.path()), ErrorCode::io, {folder.path().string(), "a directory"}));
  EXPECT_TRUE(refused(MappedFile::open(""), ErrorCode::not_found));
  EXPECT_TRUE(refused(MappedFile::open("/dev/zero"), ErrorCode::io, {"/dev/zero", "a special file"}));
  write_bytes(folder / "f", "x");
  EXPECT_TRUE(refused(MappedFile::open(folder / "f" / "g"), ErrorCode::not_found));
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  EXPECT_TRUE(refused(MappedFile::open(folder / "fifo"), ErrorCode::io, {"a special file"}));
}

TEST(MappedFile, RefusesAFileItMayNotRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const TemporaryFolder folder;
  write_bytes(folder / "f", "secret");
  std::filesystem::permissions(folder / "f", std::filesystem::perms::none);
  EXPECT_TRUE(refused(MappedFile::open(folder / "f"), ErrorCode::io, {"Permission denied"}));
}

}  // namespace
}  // namespace pantanal
