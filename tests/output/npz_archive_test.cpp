#include "pantanal/output/npz_archive.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"
#include "output/npz_reader.hpp"

namespace pantanal::output {
namespace {

/// A member of 128 bytes of header, as .npy files have, and `content`.
ZipMember member(const TemporaryFolder& folder, std::string name, std::string_view content) {
  auto spool = SpoolFile::create(folder.path());
  EXPECT_TRUE(succeeded(spool));
  const std::string header = std::string("\x93NUMPY\x01\x00\x76\x00", 10) + std::string(118, ' ');
  EXPECT_TRUE(succeeded(spool->append(std::as_bytes(std::span(header)))));
  EXPECT_TRUE(succeeded(spool->append(std::as_bytes(std::span(content)))));
  return {std::move(name), *std::move(spool)};
}

AtomicFile file_at(const std::filesystem::path& path) {
  auto file = AtomicFile::create(path);
  EXPECT_TRUE(succeeded(file));
  return *std::move(file);
}

TEST(NpzArchive, HoldsItsMembersUncompressed) {
  const TemporaryFolder folder;
  std::vector<ZipMember> members;
  const std::string large(3'000'000, 'x');
  members.push_back(member(folder, "large.npy", large));
  members.push_back(member(folder, "empty.npy", ""));
  members.push_back(member(folder, "caf\xc3\xa9.npy", "small"));
  ASSERT_TRUE(succeeded(write_zip(file_at(folder / "a.npz"), std::move(members), "a.npz")));
  const auto read = read_npz(folder / "a.npz");
  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(read.at("large").bytes, large);
  EXPECT_EQ(read.at("empty").bytes, "");
  EXPECT_EQ(read.at("caf\xc3\xa9").bytes, "small");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.npz"});
}

TEST(NpzArchive, RefusesANameTwice) {
  const TemporaryFolder folder;
  std::vector<ZipMember> members;
  members.push_back(member(folder, "a.npy", "1"));
  members.push_back(member(folder, "a.npy", "2"));
  EXPECT_TRUE(refused(write_zip(file_at(folder / "a.npz"), std::move(members), "a.npz"), ErrorCode::io,
                      {"a.npz", "already exists"}));
  EXPECT_TRUE(folder.names().empty());
}

TEST(NpzArchive, RefusesANameThatIsNotUtf8) {
  const TemporaryFolder folder;
  std::vector<ZipMember> members;
  members.push_back(member(folder, "caf\xe9.npy", "1"));
  EXPECT_TRUE(refused(write_zip(file_at(folder / "a.npz"), std::move(members), "a.npz"), ErrorCode::io));
  EXPECT_TRUE(folder.names().empty());
}

TEST(NpzArchive, CanBeCancelled) {
  const TemporaryFolder folder;
  write_bytes(folder / "a.npz", "what was there");
  std::vector<ZipMember> members;
  members.push_back(member(folder, "a.npy", std::string(1'000'000, 'x')));
  int asked = 0;
  const auto cancelled = [&asked] { return ++asked > 1; };
  EXPECT_TRUE(refused(write_zip(file_at(folder / "a.npz"), std::move(members), "a.npz", cancelled),
                      ErrorCode::io, {"a.npz", "cancel"}));
  EXPECT_EQ(read_bytes(folder / "a.npz"), "what was there");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.npz"});
}

}  // namespace
}  // namespace pantanal::output
