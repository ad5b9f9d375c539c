#include "pantanal/io/safetensors_tensors.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"
#include "pantanal/io/safetensors_writer.hpp"

namespace pantanal {
namespace {

std::shared_ptr<const SafetensorsFile> open_file(const std::filesystem::path& path) {
  auto file = SafetensorsFile::open(path);
  EXPECT_TRUE(succeeded(file));
  return std::make_shared<const SafetensorsFile>(*std::move(file));
}

TEST(MapTensors, KeepsTheFileMappedAndLeavesOutWhatItIsTold) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "a.safetensors";
  auto writer = SafetensorsWriter::create(path, {}, {{"ids", "I64", {1}}, {"x", "F32", {1, 2}}});
  ASSERT_TRUE(succeeded(writer));
  const std::int64_t id = 5;
  const float x[] = {1.5f, -2};
  ASSERT_TRUE(succeeded(writer->write("ids", std::as_bytes(std::span(&id, 1)))));
  ASSERT_TRUE(succeeded(writer->write("x", std::as_bytes(std::span(x)))));
  ASSERT_TRUE(succeeded(writer->finish()));

  EXPECT_TRUE(refused(map_tensors(open_file(path)), ErrorCode::mismatch, {"ids", "I64", "F32"}));
  constexpr std::string_view unread[] = {"ids", "absent"};
  const auto tensors = map_tensors(open_file(path), unread);
  ASSERT_TRUE(succeeded(tensors));
  ASSERT_EQ(tensors->size(), 1u);
  EXPECT_EQ(tensors->at("x").shape, (Shape{1, 2}));
  EXPECT_EQ(tensors->at("x").values[1], -2.0f);
}

}  // namespace
}  // namespace pantanal
