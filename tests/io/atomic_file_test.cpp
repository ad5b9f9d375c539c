#include "pantanal/io/atomic_file.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"

namespace pantanal {
namespace {

using Names = std::vector<std::string>;

TEST(AtomicFile, AppearsWithItsBytesAtCommit) {
  const TemporaryFolder folder;
  auto file = AtomicFile::create(folder / "out.txt");
  ASSERT_TRUE(succeeded(file));
  ASSERT_TRUE(succeeded(file->write("one ")));
  ASSERT_TRUE(succeeded(file->write("two")));
  EXPECT_FALSE(std::filesystem::exists(folder / "out.txt"));
  ASSERT_TRUE(succeeded(file->commit()));
  EXPECT_EQ(read_bytes(folder / "out.txt"), "one two");
  EXPECT_EQ(folder.names(), Names{"out.txt"});
}

TEST(AtomicFile, LeavesNothingWithoutACommit) {
  const TemporaryFolder folder;
  write_bytes(folder / "out.txt", "before");
  {
    auto file = AtomicFile::create(folder / "out.txt");
    ASSERT_TRUE(succeeded(file));
    ASSERT_TRUE(succeeded(file->write(std::string(200000, 'x'))));
  }
  EXPECT_EQ(read_bytes(folder / "out.txt"), "before");
  EXPECT_EQ(folder.names(), Names{"out.txt"});
}

TEST(AtomicFile, ReplacesAnOlderFile) {
  const TemporaryFolder folder;
  write_bytes(folder / "out.txt", "a longer text from before");
  auto file = AtomicFile::create(folder / "out.txt");
  ASSERT_TRUE(succeeded(file));
  ASSERT_TRUE(succeeded(file->write("new")));
  EXPECT_EQ(read_bytes(folder / "out.txt"), "a longer text from before");
  ASSERT_TRUE(succeeded(file->commit()));
  EXPECT_EQ(read_bytes(folder / "out.txt"), "new");
}

TEST(AtomicFile, KeepsOrderAcrossSmallAndLargePieces) {
  const TemporaryFolder folder;
  auto file = AtomicFile::create(folder / "out");
  ASSERT_TRUE(succeeded(file));
  std::string expected;
  for (const std::size_t size : {1u, 65535u, 1u, 65536u, 65537u, 0u, 300000u, 12u}) {
    const std::string piece(size, static_cast<char>('a' + expected.size() % 26));
    expected += piece;
    ASSERT_TRUE(succeeded(file->write(piece)));
  }
  ASSERT_TRUE(succeeded(file->commit()));
  EXPECT_EQ(read_bytes(folder / "out"), expected);
}

TEST(AtomicFile, OverwritesWhatWasWritten) {
  const TemporaryFolder folder;
  auto file = AtomicFile::create(folder / "out");
  ASSERT_TRUE(succeeded(file));
  ASSERT_TRUE(succeeded(file->write("0123456789")));
  const std::string_view patch = "abc";
  ASSERT_TRUE(succeeded(file->overwrite(4, std::as_bytes(std::span(patch)))));
  ASSERT_TRUE(succeeded(file->write("!")));
  ASSERT_TRUE(succeeded(file->commit()));
  EXPECT_EQ(read_bytes(folder / "out"), "0123abc789!");
}

TEST(AtomicFile, FollowsASymbolicLink) {
  const TemporaryFolder folder;
  write_bytes(folder / "target", "before");
  std::filesystem::create_symlink("target", folder / "link");
  auto file = AtomicFile::create(folder / "link");
  ASSERT_TRUE(succeeded(file));
  ASSERT_TRUE(succeeded(file->write("after")));
  ASSERT_TRUE(succeeded(file->commit()));
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(read_bytes(folder / "target"), "after");
}

TEST(AtomicFile, CreatesWhatADanglingLinkNames) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "d");
  std::filesystem::create_symlink("d/second", folder / "first");
  std::filesystem::create_symlink(folder / "target", folder / "d" / "second");
  auto file = AtomicFile::create(folder / "first");
  ASSERT_TRUE(succeeded(file));
  ASSERT_TRUE(succeeded(file->write("text")));
  ASSERT_TRUE(succeeded(file->commit()));
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "first"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "d" / "second"));
  EXPECT_TRUE(std::filesystem::is_regular_file(std::filesystem::symlink_status(folder / "target")));
  EXPECT_EQ(read_bytes(folder / "target"), "text");
}

TEST(AtomicFile, RefusesLinksThatLeadNowhere) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("b", folder / "a");
  std::filesystem::create_symlink("a", folder / "b");
  std::filesystem::create_symlink("absent/file", folder / "c");
  EXPECT_TRUE(refused(AtomicFile::create(folder / "a"), ErrorCode::io, {"a: io error", "symbolic links"}));
  EXPECT_TRUE(refused(AtomicFile::create(folder / "c"), ErrorCode::not_found, {"c: not found"}));
  EXPECT_EQ(folder.names(), (Names{"a", "b", "c"}));
}

/// The permission bits of a file that was written to `path` under a umask.
mode_t written_mode(const std::filesystem::path& path, mode_t mask) {
  const mode_t before = ::umask(mask);
  auto file = AtomicFile::create(path);
  ::umask(before);
  EXPECT_TRUE(succeeded(file));
  if (!file) return 0;
  EXPECT_TRUE(succeeded(file->write("text")));
  EXPECT_TRUE(succeeded(file->commit()));
  struct stat written = {};
  EXPECT_EQ(::stat(path.c_str(), &written), 0);
  return written.st_mode & 07777;
}

TEST(AtomicFile, GivesANewFileWhatTheUmaskLeaves) {
  const TemporaryFolder folder;
  EXPECT_EQ(written_mode(folder / "a", 0022), 0644u);
  EXPECT_EQ(written_mode(folder / "b", 0077), 0600u);
  EXPECT_EQ(written_mode(folder / "c", 0), 0666u);
}

TEST(AtomicFile, KeepsThePermissionsOfTheFileItReplaces) {
  const TemporaryFolder folder;
  for (const mode_t mode : {0600u, 0640u, 0664u, 0755u, 0666u}) {
    write_bytes(folder / "out", "before");
    ASSERT_EQ(::chmod((folder / "out").c_str(), mode), 0);
    EXPECT_EQ(written_mode(folder / "out", 0027), mode);
    EXPECT_EQ(read_bytes(folder / "out"), "text");
  }
}

TEST(AtomicFile, NeverShowsOthersWhatReplacesAPrivateFile) {
  const TemporaryFolder folder;
  write_bytes(folder / "out", "before");
  ASSERT_EQ(::chmod((folder / "out").c_str(), 0600), 0);
  const auto file = AtomicFile::create(folder / "out");
  ASSERT_TRUE(succeeded(file));
  for (const std::string& name : folder.names()) {
    struct stat found = {};
    ASSERT_EQ(::stat((folder / name).c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0600u) << name;
  }
}

TEST(AtomicFile, TakesAPathWithoutAFolder) {
  const TemporaryFolder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  auto file = AtomicFile::create("plain");
  ASSERT_TRUE(succeeded(file));
  EXPECT_TRUE(succeeded(file->write("x")));
  EXPECT_TRUE(succeeded(file->commit()));
  std::filesystem::current_path(before);
  EXPECT_EQ(read_bytes(folder / "plain"), "x");
}

TEST(AtomicFile, MovesWithItsTemporary) {
  const TemporaryFolder folder;
  auto first = AtomicFile::create(folder / "a");
  auto second = AtomicFile::create(folder / "b");
  ASSERT_TRUE(succeeded(first));
  ASSERT_TRUE(succeeded(second));
  ASSERT_TRUE(succeeded(first->write("from a")));
  AtomicFile moved = *std::move(first);
  *second = std::move(moved);  // b's temporary goes with `moved`
  ASSERT_TRUE(succeeded(second->commit()));
  EXPECT_EQ(read_bytes(folder / "a"), "from a");
  EXPECT_FALSE(std::filesystem::exists(folder / "b"));
}

TEST(AtomicFile, RefusesBadDestinations) {
  const TemporaryFolder folder;
  EXPECT_TRUE(
      refused(AtomicFile::create(folder / "no" / "out"), ErrorCode::not_found, {"out", "No such file"}));
  EXPECT_TRUE(refused(AtomicFile::create(folder.path()), ErrorCode::io, {"a directory"}));
  EXPECT_TRUE(refused(AtomicFile::create("/dev/null"), ErrorCode::io, {"/dev/null", "a special file"}));
  EXPECT_TRUE(refused(AtomicFile::create(""), ErrorCode::invalid_argument, {"no file name"}));
  EXPECT_TRUE(refused(AtomicFile::create((folder / "new").string() + "/"), ErrorCode::invalid_argument));
  EXPECT_TRUE(folder.names().empty());
}

TEST(AtomicFile, CommitsOnce) {
  const TemporaryFolder folder;
  auto file = AtomicFile::create(folder / "out");
  ASSERT_TRUE(succeeded(file));
  ASSERT_TRUE(succeeded(file->commit()));
  EXPECT_TRUE(refused(file->commit(), ErrorCode::invalid_argument, {"a second commit"}));
  EXPECT_TRUE(std::filesystem::exists(folder / "out"));
}

TEST(AtomicFile, ReportsAFullDiskAndLeavesNothing) {
  const TemporaryFolder folder;
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small = {100000, before.rlim_max};
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  {
    auto file = AtomicFile::create(folder / "out");
    ASSERT_TRUE(succeeded(file));
    EXPECT_TRUE(refused(file->write(std::string(150000, 'x')), ErrorCode::io, {"out", "File too large"}));
    EXPECT_TRUE(refused(file->write("more"), ErrorCode::io));
    EXPECT_TRUE(refused(file->commit(), ErrorCode::io, {"File too large"}));
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  EXPECT_TRUE(folder.names().empty());
}

}  // namespace
}  // namespace pantanal
