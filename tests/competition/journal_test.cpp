#include "pantanal/competition/journal.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"

namespace pantanal::competition {
namespace {

JournalEntry entry(const std::string& file, float value) {
  return {file, Effort::no_tta, {}, std::vector<float>(24, value)};
}

void write(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() {
    auto journal = Journal::create(path_, "run");
    EXPECT_TRUE(succeeded(journal));
    EXPECT_TRUE(succeeded(journal->append(entry("a\n1", 0.25f))));
    after_a_ = read_bytes(path_).size();
    EXPECT_TRUE(succeeded(journal->append({"b\n2", Effort::full, "b is broken", {}})));
  }

  std::map<std::string, JournalEntry> entries() {
    auto opened = Journal::resume(path_, "run");
    EXPECT_TRUE(succeeded(opened));
    return opened ? std::move(opened->entries) : std::map<std::string, JournalEntry>{};
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "j";
  std::size_t after_a_ = 0;
};

TEST_F(JournalTest, GivesBackWhatWasAppended) {
  const auto all = entries();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all.at("a\n1").effort, Effort::no_tta);
  EXPECT_EQ(all.at("a\n1").probabilities, std::vector<float>(24, 0.25f));
  EXPECT_EQ(all.at("b\n2").problem, "b is broken");
  EXPECT_TRUE(all.at("b\n2").probabilities.empty());
}

TEST_F(JournalTest, IsSyncedWhereThereIsADisk) {
  auto opened = Journal::resume(path_, "run");
  ASSERT_TRUE(succeeded(opened));
  ASSERT_TRUE(succeeded(opened->journal.append(entry("c", 0.5f))));
  EXPECT_TRUE(succeeded(opened->journal.sync()));
  EXPECT_EQ(entries().size(), 3u);
  auto nowhere = Journal::create("/dev/full", "run");
  EXPECT_TRUE(refused(nowhere, ErrorCode::io, {"/dev/full"}));
}

TEST_F(JournalTest, DropsTheZerosThatAResetLeaves) {
  write(path_, read_bytes(path_).substr(0, after_a_) + std::string(5000, '\0'));
  EXPECT_EQ(entries().size(), 1u);
  EXPECT_EQ(read_bytes(path_).size(), after_a_);
}

TEST_F(JournalTest, DropsARecordThatWasCutOffAnywhere) {
  const std::string whole = read_bytes(path_);
  for (std::size_t size = after_a_; size < whole.size(); ++size) {
    write(path_, whole.substr(0, size));
    EXPECT_EQ(entries().size(), 1u) << size;
    EXPECT_EQ(read_bytes(path_).size(), after_a_);
  }
}

TEST_F(JournalTest, GoesOnBehindTheLastWholeRecord) {
  write(path_, read_bytes(path_) + "half a rec");
  auto opened = Journal::resume(path_, "run");
  ASSERT_TRUE(succeeded(opened));
  ASSERT_TRUE(succeeded(opened->journal.append(entry("c\n3", 1))));
  EXPECT_EQ(entries().size(), 3u);
}

TEST_F(JournalTest, DoesNotTrustAChangedRecord) {
  std::string bytes = read_bytes(path_);
  bytes[after_a_ - 1] = static_cast<char>(bytes[after_a_ - 1] ^ 1);
  write(path_, bytes);
  EXPECT_TRUE(entries().empty());
}

TEST_F(JournalTest, RefusesThatOfAnotherRun) {
  EXPECT_TRUE(refused(Journal::resume(path_, "other"), ErrorCode::mismatch, {"another run"}));
  write(path_, "something else altogether");
  EXPECT_TRUE(refused(Journal::resume(path_, "run"), ErrorCode::corrupt, {"no journal"}));
}

TEST_F(JournalTest, BeginsWhereThereIsNone) {
  std::filesystem::remove(path_);
  EXPECT_TRUE(entries().empty());
  write(path_, "");
  EXPECT_TRUE(entries().empty());
  EXPECT_TRUE(refused(Journal::create(folder_ / "no/such/folder", "run"), ErrorCode::not_found));
}

TEST(Journal, NoticesThatTheDiskIsFull) {
  auto journal = Journal::create("/dev/full", "run");
  EXPECT_TRUE(refused(journal, ErrorCode::io, {"/dev/full"}));
}

}  // namespace
}  // namespace pantanal::competition
