#include "pantanal/io/hidden_file.hpp"

#include <grp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"

namespace pantanal {
namespace {

using Names = std::vector<std::string>;

/// Whether this file system and this system let a file get its name late.
bool can_hide(const TemporaryFolder& folder) {
  const auto file = HiddenFile::create(folder / "probe");
  return file && folder.names().empty();
}

struct stat stat_of(const std::filesystem::path& path) {
  struct stat found = {};
  EXPECT_EQ(::stat(path.c_str(), &found), 0) << path;
  return found;
}

class HiddenFileTest : public ::testing::TestWithParam<HiddenFile::Name> {
 protected:
  Result<HiddenFile> create() { return HiddenFile::create(path_, GetParam()); }

  /// Writes `text` under the name.
  void publish(const std::string& text) {
    auto file = create();
    ASSERT_TRUE(succeeded(file));
    ASSERT_EQ(::write(file->get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ASSERT_EQ(file->publish(), 0);
    ASSERT_EQ(file->close(), 0);
  }

  TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_ / "out";
};

TEST_P(HiddenFileTest, StandsWhereNothingStood) {
  publish("text");
  EXPECT_EQ(read_bytes(path_), "text");
  EXPECT_EQ(folder_.names(), Names{"out"});
}

TEST_P(HiddenFileTest, TakesAnotherFilesPlace) {
  write_bytes(path_, "a longer text from before");
  publish("text");
  EXPECT_EQ(read_bytes(path_), "text");
  EXPECT_EQ(folder_.names(), Names{"out"});
}

TEST_P(HiddenFileTest, TakesThePlaceOfAFileThatCameInBetween) {
  auto file = create();
  ASSERT_TRUE(succeeded(file));
  write_bytes(path_, "from someone else");
  ASSERT_EQ(file->publish(), 0);
  EXPECT_EQ(read_bytes(path_), "");
  EXPECT_EQ(folder_.names(), Names{"out"});
}

TEST_P(HiddenFileTest, LeavesNothingIfItCannotTakeTheName) {
  {
    auto file = create();
    ASSERT_TRUE(succeeded(file));
    std::filesystem::create_directory(path_);
    EXPECT_NE(file->publish(), 0);
  }
  EXPECT_EQ(folder_.names(), Names{"out"});
}

TEST_P(HiddenFileTest, LeavesNothingUnpublished) {
  { ASSERT_TRUE(succeeded(create())); }
  EXPECT_TRUE(folder_.names().empty());
}

TEST_P(HiddenFileTest, HasThePermissionsThatTheUmaskLeaves) {
  for (const mode_t mask : {0022u, 0077u, 0002u, 0u}) {
    std::filesystem::remove(path_);
    const mode_t before = ::umask(mask);
    publish("text");
    ::umask(before);
    EXPECT_EQ(stat_of(path_).st_mode & 07777, 0666 & ~mask);
  }
}

TEST_P(HiddenFileTest, KeepsThePermissionsOfWhatItReplaces) {
  for (const mode_t mode : {0600u, 0640u, 0664u, 0755u, 0666u, 0444u}) {
    std::filesystem::remove(path_);
    write_bytes(path_, "before");
    ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
    publish("text");
    EXPECT_EQ(stat_of(path_).st_mode & 07777, mode);
  }
}

TEST_P(HiddenFileTest, KeepsOwnerAndGroupOfWhatItReplaces) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may give files away";
  write_bytes(path_, "before");
  ASSERT_EQ(::chown(path_.c_str(), 1234, 2345), 0);
  ASSERT_EQ(::chmod(path_.c_str(), 0640), 0);
  publish("text");
  EXPECT_EQ(stat_of(path_).st_uid, 1234u);
  EXPECT_EQ(stat_of(path_).st_gid, 2345u);
  EXPECT_EQ(stat_of(path_).st_mode & 07777, 0640u);
}

/// Ends with the code that `body` returns, as someone who owns the folder and is in one group only.
template <class Body>
int as_nobody_in_particular(const TemporaryFolder& folder, const Body& body) {
  EXPECT_EQ(::chown(folder.path().c_str(), 3456, 3456), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool changed = ::setgroups(0, nullptr) == 0 && ::setgid(3456) == 0 && ::setuid(3456) == 0;
    ::_exit(changed ? body() : 100);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 101;
}

TEST_P(HiddenFileTest, ShowsNoOtherGroupWhatOneGroupMayRead) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may be someone else";
  for (const auto& [before, after] : {std::pair{0640u, 0600u}, {0664u, 0644u}, {0604u, 0604u}}) {
    std::filesystem::remove(path_);
    write_bytes(path_, "before");
    ASSERT_EQ(::chown(path_.c_str(), 1234, 2345), 0);
    ASSERT_EQ(::chmod(path_.c_str(), before), 0);
    ASSERT_EQ(as_nobody_in_particular(folder_,
                                      [&] {
                                        auto file = create();
                                        return file && file->publish() == 0 ? 0 : 1;
                                      }),
              0);
    EXPECT_EQ(stat_of(path_).st_uid, 3456u);
    EXPECT_EQ(stat_of(path_).st_gid, 3456u);
    EXPECT_EQ(stat_of(path_).st_mode & 07777, after);
  }
}

TEST_P(HiddenFileTest, NamesAFolderThatIsNotThere) {
  EXPECT_TRUE(refused(HiddenFile::create(folder_ / "no" / "out", GetParam()), ErrorCode::not_found,
                      {"out", "No such file"}));
}

INSTANTIATE_TEST_SUITE_P(Names, HiddenFileTest,
                         ::testing::Values(HiddenFile::Name::none_if_possible, HiddenFile::Name::temporary),
                         [](const auto& instance) {
                           return instance.param == HiddenFile::Name::temporary ? "Temporary" : "None";
                         });

TEST(HiddenFile, IsGoneWithAProgramThatIsKilled) {
  const TemporaryFolder folder;
  if (!can_hide(folder)) GTEST_SKIP() << "no files without a name here";
  write_bytes(folder / "out", "before");
  const pid_t child = ::fork();
  if (child == 0) {
    const auto file = HiddenFile::create(folder / "out");
    if (!file || ::write(file->get(), "text", 4) != 4) ::_exit(1);
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(folder.names(), Names{"out"});
  EXPECT_EQ(read_bytes(folder / "out"), "before");
}

}  // namespace
}  // namespace pantanal
