#include "pantanal/output/npz_writer.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"
#include "output/npz_reader.hpp"

namespace pantanal::output {
namespace {

const std::vector<NpzArray> arrays = {{"embedding", "<f4", 4, {2, 3}}, {"start_s", "<f8", 8, {}}};

template <class T>
std::span<const std::byte> bytes(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

/// Writes `rows` rows, each array's numbered from 0.
Status write_rows(NpzWriter& writer, std::size_t rows) {
  for (std::size_t i = 0; i < rows; ++i) {
    std::vector<float> embedding;
    for (std::size_t j = 0; j < 6; ++j) embedding.push_back(static_cast<float>(i * 6 + j));
    PANTANAL_TRY_STATUS(writer.append("embedding", bytes(embedding)));
    PANTANAL_TRY_STATUS(writer.append("start_s", bytes(std::vector<double>{double(i)})));
  }
  return {};
}

TEST(NpzWriter, WritesWhatIsReadBack) {
  const TemporaryFolder folder;
  auto writer = NpzWriter::create(folder / "a.npz", arrays);
  ASSERT_TRUE(succeeded(writer));
  ASSERT_TRUE(succeeded(write_rows(*writer, 1000)));
  ASSERT_TRUE(succeeded(writer->finish()));
  const auto read = read_npz(folder / "a.npz");
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read.at("embedding").header, "{'descr': '<f4', 'fortran_order': False, 'shape': (1000, 2, 3), }");
  EXPECT_EQ(read.at("start_s").header, "{'descr': '<f8', 'fortran_order': False, 'shape': (1000,), }");
  const auto embedding = read.at("embedding").values<float>();
  ASSERT_EQ(embedding.size(), 6000u);
  for (std::size_t i = 0; i < embedding.size(); ++i) ASSERT_EQ(embedding[i], static_cast<float>(i));
  EXPECT_EQ(read.at("start_s").values<double>().back(), 999.0);
}

TEST(NpzWriter, WritesNoRows) {
  const TemporaryFolder folder;
  auto writer = NpzWriter::create(folder / "a.npz", arrays);
  ASSERT_TRUE(succeeded(writer));
  ASSERT_TRUE(succeeded(writer->finish()));
  const auto read = read_npz(folder / "a.npz");
  EXPECT_NE(read.at("embedding").header.find("(0, 2, 3)"), std::string::npos);
  EXPECT_TRUE(read.at("embedding").bytes.empty());
}

TEST(NpzWriter, LeavesNothingButTheFile) {
  const TemporaryFolder folder;
  auto writer = NpzWriter::create(folder / "a.npz", arrays);
  ASSERT_TRUE(succeeded(writer));
  ASSERT_TRUE(succeeded(write_rows(*writer, 3)));
  EXPECT_FALSE(std::filesystem::exists(folder / "a.npz"));
  ASSERT_TRUE(succeeded(writer->finish()));
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.npz"});
}

TEST(NpzWriter, LeavesNothingUnlessFinished) {
  const TemporaryFolder folder;
  write_bytes(folder / "a.npz", "what was there");
  {
    auto writer = NpzWriter::create(folder / "a.npz", arrays);
    ASSERT_TRUE(succeeded(writer));
    ASSERT_TRUE(succeeded(write_rows(*writer, 3)));
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.npz"});
  EXPECT_EQ(read_bytes(folder / "a.npz"), "what was there");
}

TEST(NpzWriter, CanBeCancelledWhileFinishing) {
  const TemporaryFolder folder;
  {
    auto writer = NpzWriter::create(folder / "a.npz", arrays);
    ASSERT_TRUE(succeeded(writer));
    ASSERT_TRUE(succeeded(write_rows(*writer, 100'000)));
    EXPECT_TRUE(refused(writer->finish([] { return true; }), ErrorCode::io, {"a.npz", "cancel"}));
  }
  EXPECT_TRUE(folder.names().empty()) << "nothing of it is left";
}

/// No file of this process may grow beyond `bytes` while this lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, SIG_DFL);
  }

 private:
  rlimit before_;
};

TEST(NpzWriter, ReportsAFullDiskWhileRowsCome) {
  const TemporaryFolder folder;
  auto writer = NpzWriter::create(folder / "a.npz", arrays);
  ASSERT_TRUE(succeeded(writer));
  const FileSizeLimit limit(100'000);
  EXPECT_TRUE(refused(write_rows(*writer, 10'000), ErrorCode::io, {folder.path().string()}));
}

TEST(NpzWriter, ReportsAFullDiskWhileFinishing) {
  const TemporaryFolder folder;
  {
    auto writer = NpzWriter::create(folder / "a.npz", arrays);
    ASSERT_TRUE(succeeded(writer));
    ASSERT_TRUE(succeeded(write_rows(*writer, 10'000)));
    const FileSizeLimit limit(300'000);  // more than each array, less than both
    EXPECT_TRUE(refused(writer->finish(), ErrorCode::io, {"a.npz"}));
  }
  EXPECT_TRUE(folder.names().empty());
}

TEST(NpzWriter, WritesEqualFilesForEqualRows) {
  const TemporaryFolder folder;
  for (const char* const name : {"a.npz", "b.npz"}) {
    auto writer = NpzWriter::create(folder / name, arrays);
    ASSERT_TRUE(succeeded(writer));
    ASSERT_TRUE(succeeded(write_rows(*writer, 10)));
    ASSERT_TRUE(succeeded(writer->finish()));
  }
  EXPECT_EQ(read_bytes(folder / "a.npz"), read_bytes(folder / "b.npz"));
}

TEST(NpzWriter, RefusesAPathThatCannotBeWritten) {
  const TemporaryFolder folder;
  EXPECT_TRUE(refused(NpzWriter::create(folder / "absent" / "a.npz", arrays), ErrorCode::not_found,
                      {"absent/a.npz"}));
  EXPECT_TRUE(refused(NpzWriter::create(folder.path(), arrays), ErrorCode::io, {"directory"}));
}

TEST(NpzWriter, RefusesArraysThatMakeNoSense) {
  const TemporaryFolder folder;
  const auto create = [&](std::vector<NpzArray> wanted) {
    return NpzWriter::create(folder / "a.npz", wanted);
  };
  constexpr std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  EXPECT_TRUE(refused(create({{"", "<f4", 4, {}}}), ErrorCode::invalid_argument));
  EXPECT_TRUE(
      refused(create({{"a", "<f4", 4, {}}, {"a", "<f4", 4, {}}}), ErrorCode::invalid_argument, {"a"}));
  EXPECT_TRUE(refused(create({{"a", "<f4", 4, {huge}}}), ErrorCode::invalid_argument));
  EXPECT_TRUE(refused(create({{"a", "<f4", 4, {-1}}}), ErrorCode::invalid_argument));
  EXPECT_TRUE(refused(create({{"a", "<f4", 4, {0}}}), ErrorCode::invalid_argument));
  EXPECT_TRUE(folder.names().empty());
}

TEST(NpzWriter, RefusesRowsThatDoNotFit) {
  const TemporaryFolder folder;
  auto writer = NpzWriter::create(folder / "a.npz", arrays);
  ASSERT_TRUE(succeeded(writer));
  EXPECT_TRUE(refused(writer->append("label", {}), ErrorCode::invalid_argument, {"label"}));
  EXPECT_TRUE(refused(writer->append("embedding", bytes(std::vector<float>(5))), ErrorCode::invalid_argument,
                      {"embedding", "20", "24"}));
  ASSERT_TRUE(succeeded(write_rows(*writer, 1)));
  ASSERT_TRUE(succeeded(writer->finish()));
  EXPECT_NE(read_npz(folder / "a.npz").at("embedding").header.find("(1, 2, 3)"), std::string::npos);
}

}  // namespace
}  // namespace pantanal::output
