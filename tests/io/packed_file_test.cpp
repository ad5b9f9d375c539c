#include "pantanal/io/packed_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"

namespace pantanal {
namespace {

/// A file of two buffers, for "some purpose".
class PackedFileTest : public ::testing::Test {
 protected:
  PackedFileTest() {
    for (std::size_t i = 0; i < numbers_.size(); ++i) numbers_.writable()[i] = static_cast<float>(i) / 3;
    word_.writable()[0] = 0xcafe;
  }

  Status write() const { return PackedFile::write(path_, "some purpose", arena_); }
  ErrorCode code_of(std::string_view purpose = "some purpose") const {
    const auto file = PackedFile::open(path_, purpose);
    EXPECT_FALSE(file);
    if (!file) {
      EXPECT_NE(file.error().message().find(path_.string()), std::string::npos);
    }
    return file ? ErrorCode::internal : file.error().code;
  }

  TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_ / "packed";
  PackedArena arena_;
  PackedBuffer<float> numbers_ = arena_.take<float>(100);
  PackedBuffer<std::uint32_t> word_ = arena_.take<std::uint32_t>(1);
};

TEST_F(PackedFileTest, HoldsTheBuffers) {
  ASSERT_TRUE(succeeded(write()));
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"packed"}) << "no temporary file is left";
  auto file = PackedFile::open(path_, "some purpose");
  ASSERT_TRUE(succeeded(file));
  PackedArena arena(file->buffers());
  const auto numbers = arena.take<float>(100);
  const auto word = arena.take<std::uint32_t>(1);
  EXPECT_TRUE(succeeded(file->check(arena)));
  EXPECT_TRUE(std::ranges::equal(numbers.span(), numbers_.span()));
  EXPECT_EQ(word[0], 0xcafeu);
  const PackedFile moved = *std::move(file);
  EXPECT_EQ(word[0], 0xcafeu);
  EXPECT_EQ(moved.buffers().size(), 512u);
}

TEST_F(PackedFileTest, TellsBuffersOfOtherSizes) {
  ASSERT_TRUE(succeeded(write()));
  const auto file = PackedFile::open(path_, "some purpose");
  ASSERT_TRUE(succeeded(file));
  PackedArena fewer(file->buffers()), more(file->buffers()), others(file->buffers());
  fewer.take<float>(100);
  for (const std::size_t size : {100, 1, 1}) more.take<float>(size);
  for (const std::size_t size : {99, 2}) others.take<float>(size);  // as many bytes, rounded up
  for (const PackedArena* const arena : {&fewer, &more, &others})
    EXPECT_EQ(file->check(*arena).error().code, ErrorCode::mismatch);
}

TEST_F(PackedFileTest, IsRefusedForAnotherPurpose) {
  EXPECT_EQ(code_of(), ErrorCode::not_found);
  ASSERT_TRUE(succeeded(write()));
  EXPECT_EQ(code_of("some"), ErrorCode::mismatch);
  EXPECT_EQ(code_of("some purpose or other"), ErrorCode::mismatch);
  const auto file = PackedFile::open(path_, "another");
  EXPECT_EQ(file.error().found, "some purpose");
  EXPECT_EQ(file.error().expected, "another");
  EXPECT_FALSE(PackedFile::write(path_, std::string(5000, 'x'), arena_));
}

TEST_F(PackedFileTest, IsRefusedIfASingleBitDiffers) {
  ASSERT_TRUE(succeeded(write()));
  const std::string whole = read_bytes(path_);
  ASSERT_EQ(whole.size(), 4096u + 512);
  const std::string_view purpose = "some purpose";
  for (std::size_t i = 0; i < whole.size(); i += i < 64 || i >= 4096 ? 1 : 61) {
    overwrite_byte(path_, i, static_cast<char>(whole[i] ^ (1 << i % 8)));
    const ErrorCode code = code_of();
    const bool tells_of_another = i < 12 || (i >= 28 && i <= 28 + purpose.size());
    EXPECT_EQ(code, tells_of_another ? ErrorCode::mismatch : ErrorCode::corrupt) << "byte " << i;
    overwrite_byte(path_, i, whole[i]);
  }
  EXPECT_TRUE(succeeded(PackedFile::open(path_, "some purpose")));
}

TEST_F(PackedFileTest, IsRefusedIfCutShortOrLonger) {
  ASSERT_TRUE(succeeded(write()));
  const std::string whole = read_bytes(path_);
  for (const std::size_t size : {0, 1, 7, 8, 100, 4095, 4096, 4097, 4607}) {
    write_bytes(path_, whole.substr(0, size));
    EXPECT_EQ(code_of(), ErrorCode::corrupt) << size;
  }
  write_bytes(path_, whole + '\0');
  EXPECT_EQ(code_of(), ErrorCode::corrupt);
  ASSERT_TRUE(succeeded(write())) << "what does not fit is replaced";
  EXPECT_EQ(read_bytes(path_), whole);
}

TEST_F(PackedFileTest, IsKnownByItsBeginning) {
  EXPECT_FALSE(PackedFile::is_one(path_));
  for (const std::string_view other : {"", "PANTPAC", "RIFF: a recording"}) {
    write_bytes(path_, other);
    EXPECT_FALSE(PackedFile::is_one(path_)) << other;
  }
  write_bytes(path_, "PANTPACK and so on");
  EXPECT_TRUE(PackedFile::is_one(path_));
  ASSERT_TRUE(succeeded(write()));
  EXPECT_TRUE(PackedFile::is_one(path_));
}

TEST_F(PackedFileTest, LeavesOtherFilesAlone) {
  write_bytes(path_, "RIFF: a recording");
  EXPECT_EQ(code_of(), ErrorCode::mismatch);
  EXPECT_EQ(write().error().code, ErrorCode::mismatch);
  EXPECT_EQ(read_bytes(path_), "RIFF: a recording");
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  EXPECT_EQ(code_of(), ErrorCode::io);
  EXPECT_EQ(write().error().code, ErrorCode::io);
  EXPECT_FALSE(PackedFile::write(folder_ / "no" / "folder", "some purpose", arena_));
}

}  // namespace
}  // namespace pantanal
