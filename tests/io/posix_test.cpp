#include "pantanal/io/posix.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <utility>

namespace pantanal {
namespace {

bool is_open(int descriptor) { return ::fcntl(descriptor, F_GETFD) != -1; }

TEST(FileDescriptor, ClosesItselfOnce) {
  int number = -1;
  {
    FileDescriptor first(::open("/dev/null", O_RDONLY));
    number = first.get();
    FileDescriptor second = std::move(first);
    EXPECT_FALSE(first.is_open());
    EXPECT_EQ(second.get(), number);
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(FileDescriptor, CloseTellsErrno) {
  EXPECT_EQ(FileDescriptor().close(), 0);
  FileDescriptor open(::open("/dev/null", O_RDONLY));
  EXPECT_EQ(open.close(), 0);
  EXPECT_FALSE(open.is_open());
  FileDescriptor bad(1 << 20);
  EXPECT_EQ(bad.close(), EBADF);
}

TEST(PosixError, SaysWhichFileAndWhy) {
  const Error absent = posix_error(ENOENT, "some/file", "a model");
  EXPECT_EQ(absent.code, ErrorCode::not_found);
  EXPECT_EQ(absent.message(), "some/file: not found: found No such file or directory, expected a model");
  EXPECT_EQ(posix_error(EACCES, "f", "").code, ErrorCode::io);
}

}  // namespace
}  // namespace pantanal
