#include "pantanal/io/spool_file.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <span>
#include <string>
#include <string_view>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"

namespace pantanal {
namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string read_all(SpoolFile spool) {
  const auto size = static_cast<std::size_t>(spool.size());
  auto stream = std::move(spool).read_back();
  EXPECT_TRUE(succeeded(stream));
  std::string text(size + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), stream->get()));
  return text;
}

TEST(SpoolFile, GivesBackWhatWasAppended) {
  const TemporaryFolder folder;
  auto spool = SpoolFile::create(folder.path());
  ASSERT_TRUE(succeeded(spool));
  ASSERT_TRUE(succeeded(spool->append(bytes("first "))));
  ASSERT_TRUE(succeeded(spool->append(bytes("second"))));
  EXPECT_EQ(spool->size(), 12u);
  EXPECT_EQ(read_all(*std::move(spool)), "first second");
}

TEST(SpoolFile, HasNoName) {
  const TemporaryFolder folder;
  const auto spool = SpoolFile::create(folder.path());
  ASSERT_TRUE(succeeded(spool));
  EXPECT_TRUE(folder.names().empty());
}

TEST(SpoolFile, AppendsAfterItsFrontIsReplaced) {
  const TemporaryFolder folder;
  auto spool = SpoolFile::create(folder.path());
  ASSERT_TRUE(succeeded(spool));
  const std::string long_text(100'000, 'x');
  ASSERT_TRUE(succeeded(spool->append(bytes(long_text))));
  ASSERT_TRUE(succeeded(spool->overwrite_front(bytes("head"))));
  ASSERT_TRUE(succeeded(spool->append(bytes("tail"))));
  EXPECT_EQ(spool->size(), 100'004u);
  EXPECT_EQ(read_all(*std::move(spool)), "head" + long_text.substr(4) + "tail");
}

TEST(SpoolFile, RefusesAFrontThatIsNotThere) {
  const TemporaryFolder folder;
  auto spool = SpoolFile::create(folder.path());
  ASSERT_TRUE(succeeded(spool));
  ASSERT_TRUE(succeeded(spool->append(bytes("abc"))));
  EXPECT_TRUE(refused(spool->overwrite_front(bytes("abcd")), ErrorCode::invalid_argument, {"4", "3"}));
  EXPECT_EQ(read_all(*std::move(spool)), "abc");
}

TEST(SpoolFile, RefusesAnAbsentFolder) {
  const TemporaryFolder folder;
  EXPECT_TRUE(refused(SpoolFile::create(folder / "absent"), ErrorCode::not_found, {"absent"}));
}

}  // namespace
}  // namespace pantanal
