#include "text_output.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"

namespace pantanal::infer {
namespace {

TEST(TextOutput, WritesAFileWhenFinished) {
  const TemporaryFolder folder;
  auto output = TextOutput::create(folder / "a.csv");
  ASSERT_TRUE(succeeded(output));
  ASSERT_TRUE(succeeded(output->write("one,")));
  ASSERT_TRUE(succeeded(output->flush()));
  ASSERT_TRUE(succeeded(output->write("two\n")));
  EXPECT_FALSE(std::filesystem::exists(folder / "a.csv"));
  ASSERT_TRUE(succeeded(output->finish()));
  EXPECT_EQ(read_bytes(folder / "a.csv"), "one,two\n");
}

TEST(TextOutput, RefusesAPathThatCannotBeWritten) {
  const TemporaryFolder folder;
  EXPECT_TRUE(
      refused(TextOutput::create(folder / "absent" / "a.csv"), ErrorCode::not_found, {"absent/a.csv"}));
  EXPECT_TRUE(refused(TextOutput::create(folder.path()), ErrorCode::io, {folder.path().string()}));
}

TEST(TextOutput, ReportsADeviceThatTakesNothing) {
  auto output = TextOutput::create("/dev/full");
  ASSERT_TRUE(succeeded(output));
  ASSERT_TRUE(succeeded(output->write("row\n")));
  EXPECT_TRUE(refused(output->flush(), ErrorCode::io, {"/dev/full"}));
}

TEST(DescriptorOutput, WritesAllOfIt) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const std::string text(1'000'000, 'x');  // far more than a pipe holds
  std::string received;
  std::jthread reader([&] {
    char buffer[4096];
    for (ssize_t got; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;)
      received.append(buffer, static_cast<std::size_t>(got));
  });
  DescriptorOutput output(ends[1], "a pipe");
  output.append(text);
  output.append("end");
  EXPECT_TRUE(succeeded(output.flush()));
  EXPECT_TRUE(succeeded(output.flush())) << "nothing is left";
  ::close(ends[1]);
  reader.join();
  ::close(ends[0]);
  EXPECT_EQ(received, text + "end");
}

TEST(DescriptorOutput, ReportsAFullDisk) {
  const int full = ::open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  DescriptorOutput output(full, "a full disk");
  output.append("text");
  EXPECT_TRUE(refused(output.flush(), ErrorCode::io, {"a full disk", "No space left"}));
  ::close(full);
}

TEST(DescriptorOutput, ReportsAReaderThatLeft) {
  std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  DescriptorOutput output(ends[1], "a pipe");
  output.append("text");
  EXPECT_TRUE(refused(output.flush(), ErrorCode::io, {"a pipe", "Broken pipe"}));
  ::close(ends[1]);
}

}  // namespace
}  // namespace pantanal::infer
