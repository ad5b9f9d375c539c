#include "pantanal/io/page_release.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "io/temporary_folder.hpp"
#include "pantanal/io/mapped_file.hpp"

namespace pantanal {
namespace {

/// How many of the pages from `bytes` on are mapped into this process, by /proc.
std::size_t present_pages(std::span<const std::byte> bytes) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::FILE* const map = std::fopen("/proc/self/pagemap", "rb");
  std::size_t present = 0;
  for (std::size_t at = 0; at < bytes.size(); at += page) {
    std::uint64_t entry = 0;
    std::fseek(map,
               static_cast<long>(reinterpret_cast<std::uintptr_t>(bytes.data() + at) / page * sizeof entry),
               SEEK_SET);
    if (std::fread(&entry, sizeof entry, 1, map) == 1) present += entry >> 63;
  }
  std::fclose(map);
  return present;
}

TEST(ReleasePages, TakesWholePagesOutOfMemoryAndBringsThemBack) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const TemporaryFolder folder;
  write_bytes(folder / "x", std::string(40 * page, 'x'));
  const auto file = MappedFile::open(folder / "x");
  ASSERT_TRUE(file);
  const auto touch = [&] {
    std::size_t sum = 0;
    for (const std::byte b : file->bytes()) sum += static_cast<std::size_t>(b);
    return sum;
  };
  const std::size_t sum = touch();
  ASSERT_EQ(present_pages(file->bytes()), 40u);
  release_pages(file->bytes().subspan(1, 38 * page));  // pages 1 to 37
  const std::size_t left = present_pages(file->bytes());
  EXPECT_EQ(left, 3u);
  EXPECT_EQ(touch(), sum);
  EXPECT_EQ(present_pages(file->bytes()), 40u);
}

TEST(ReleasePages, LeavesOrdinaryTensorsAlone) {
  const Tensor tensor = make_tensor({100'000}, std::vector<float>(100'000, 3.0f));
  release_pages(tensor);
  for (const float x : tensor.values) ASSERT_EQ(x, 3.0f);
}

}  // namespace
}  // namespace pantanal
