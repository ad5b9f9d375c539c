#include "pantanal/io/folder_lock.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <utility>

#include "io/temporary_folder.hpp"

namespace pantanal {
namespace {

constexpr auto no_patience = std::chrono::milliseconds(20);

TEST(FolderLock, IsHeldByOneAtATime) {
  const TemporaryFolder folder, another;
  std::optional<FolderLock> first(std::in_place, folder / "a");
  EXPECT_TRUE(first->is_held());
  EXPECT_FALSE(FolderLock(folder / "b", no_patience).is_held());
  EXPECT_TRUE(FolderLock(another / "a", no_patience).is_held());
  const FolderLock moved(*std::move(first));
  first.reset();
  EXPECT_FALSE(FolderLock(folder / "a", no_patience).is_held());
}

TEST(FolderLock, IsGivenBack) {
  const TemporaryFolder folder;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(FolderLock(folder / "a", no_patience).is_held());
  EXPECT_TRUE(folder.names().empty());
}

TEST(FolderLock, IsNotHeldWhereThereIsNoFolder) {
  const TemporaryFolder folder;
  EXPECT_FALSE(FolderLock(folder / "no" / "a", no_patience).is_held());
}

}  // namespace
}  // namespace pantanal
