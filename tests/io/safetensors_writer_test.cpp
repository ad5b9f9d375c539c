#include "pantanal/io/safetensors_writer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"
#include "pantanal/io/safetensors.hpp"

namespace pantanal {
namespace {

using Metadata = std::map<std::string, std::string>;
using Specs = std::vector<SafetensorsSpec>;

template <class T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

TEST(SafetensorsWriter, WritesWhatPythonReads) {  // make_safetensors_fixture.py has read this very file
  const TemporaryFolder folder;
  auto writer = SafetensorsWriter::create(
      folder / "f", {{"ort", "Köln"}, {"note", R"(crc32c:00000000 "checksum":"crc32c:)"}},
      {{"wide", "I64", {3}},
       {"plain", "F32", {2, 3}},
       {"scalar", "F32", {}},
       {"empty", "F32", {0, 4}},
       {"Größe", "U8", {3}}});
  ASSERT_TRUE(succeeded(writer));
  ASSERT_TRUE(succeeded(writer->write("wide", bytes_of<std::int64_t>({-1, 0, 1}))));
  ASSERT_TRUE(succeeded(writer->write("plain", bytes_of<float>({0, 0.25, 0.5}))));
  ASSERT_TRUE(succeeded(writer->write("plain", bytes_of<float>({0.75, 1, 1.25}))));
  ASSERT_TRUE(succeeded(writer->write("scalar", bytes_of<float>({-2.5f}))));
  ASSERT_TRUE(succeeded(writer->write("Größe", bytes_of<std::uint8_t>({7, 8, 255}))));
  ASSERT_TRUE(succeeded(writer->finish()));
  EXPECT_EQ(read_bytes(folder / "f"),
            read_bytes(PANTANAL_SOURCE_DIR "/tests/golden/safetensors/with_checksum.safetensors"));
}

TEST(SafetensorsWriter, RoundTripsLargeTensorsInPieces) {
  const TemporaryFolder folder;
  std::vector<float> values(300007);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 1013) - 500.0f;
  auto writer = SafetensorsWriter::create(folder / "f", {}, {{"a", "F32", {300007}}, {"b", "F32", {2}}});
  ASSERT_TRUE(succeeded(writer));
  for (std::size_t done = 0; done < values.size(); done += 70000)
    ASSERT_TRUE(succeeded(writer->write(
        "a",
        std::as_bytes(std::span(values).subspan(done, std::min<std::size_t>(70000, values.size() - done))))));
  ASSERT_TRUE(succeeded(writer->write("b", bytes_of<float>({1, 2}))));
  ASSERT_TRUE(succeeded(writer->finish()));
  const auto file = SafetensorsFile::open(folder / "f");
  ASSERT_TRUE(succeeded(file));
  EXPECT_TRUE(succeeded(file->verify_checksum()));
  const auto read = file->floats("a");
  ASSERT_TRUE(succeeded(read));
  EXPECT_TRUE(std::ranges::equal(*read, values));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(read->data()) % 64, 0u);
}

TEST(SafetensorsWriter, WritesAFileWithoutTensors) {
  const TemporaryFolder folder;
  auto writer = SafetensorsWriter::create(folder / "f", {{"k", "v"}}, {});
  ASSERT_TRUE(succeeded(writer));
  ASSERT_TRUE(succeeded(writer->finish()));
  const auto file = SafetensorsFile::open(folder / "f");
  ASSERT_TRUE(succeeded(file));
  EXPECT_EQ(file->metadata().at("k"), "v");
  EXPECT_TRUE(succeeded(file->verify_checksum()));
}

TEST(SafetensorsWriter, RefusesBadAnnouncements) {
  const TemporaryFolder folder;
  const auto create = [&](const Metadata& metadata, const Specs& specs) {
    return SafetensorsWriter::create(folder / "f", metadata, specs);
  };
  constexpr ErrorCode invalid = ErrorCode::invalid_argument;
  EXPECT_TRUE(refused(create({}, {{"a", "F33", {1}}}), invalid, {"f: a", "dtype F33"}));
  EXPECT_TRUE(
      refused(create({}, {{"a", "F32", {1}}, {"a", "F32", {1}}}), invalid, {"f: a", "a second time"}));
  EXPECT_TRUE(refused(create({}, {{"__metadata__", "F32", {1}}}), invalid, {"__metadata__"}));
  EXPECT_TRUE(refused(create({}, {{"a", "F32", {-1}}}), invalid, {"[-1]"}));
  EXPECT_TRUE(refused(create({}, {{"a", "F32", {1l << 40, 1l << 40}}}), invalid, {"overflow"}));
  EXPECT_TRUE(
      refused(create({}, {{"a", "F32", {1l << 60}}, {"b", "F32", {1}}}), invalid, {"f: b", "overflow"}));
  EXPECT_TRUE(
      refused(create({}, {{"a", "U8", {3}}, {"b", "F32", {1}}}), invalid, {"f: b", "wider elements first"}));
  EXPECT_TRUE(refused(create({}, {{"\xff", "U8", {3}}}), invalid, {"UTF-8"}));
  EXPECT_TRUE(refused(create({{"k", "\xff"}}, {}), invalid, {"UTF-8"}));
  EXPECT_TRUE(refused(create({{"checksum", "crc32c:00000000"}}, {}), invalid, {"checksum"}));
  EXPECT_TRUE(refused(create({{"a\"checksum", "crc32c:00000000"}}, {}), invalid, {"checksum"}));
  EXPECT_TRUE(refused(create({{"k", std::string(17 << 20, 'x')}}, {}), ErrorCode::unsupported, {"at most"}));
  EXPECT_TRUE(refused(SafetensorsWriter::create(folder / "no" / "f", {}, {}), ErrorCode::not_found));
  EXPECT_TRUE(folder.names().empty());
}

TEST(SafetensorsWriter, RefusesBytesOutOfTurn) {
  const TemporaryFolder folder;
  {
    auto writer =
        SafetensorsWriter::create(folder / "f", {}, {{"a", "U8", {2}}, {"e", "U8", {0}}, {"b", "U8", {1}}});
    ASSERT_TRUE(succeeded(writer));
    constexpr ErrorCode invalid = ErrorCode::invalid_argument;
    EXPECT_TRUE(refused(writer->write("b", bytes_of<std::uint8_t>({1})), invalid, {"f: b", "one to a"}));
    EXPECT_TRUE(refused(writer->write("a", bytes_of<std::uint8_t>({1, 2, 3})), invalid,
                        {"3 more bytes, expected 2"}));
    EXPECT_TRUE(succeeded(writer->write("a", bytes_of<std::uint8_t>({1}))));
    EXPECT_TRUE(refused(writer->finish(), invalid, {"f: a", "1 bytes missing"}));
    EXPECT_TRUE(succeeded(writer->write("a", bytes_of<std::uint8_t>({2}))));
    EXPECT_TRUE(refused(writer->write("a", bytes_of<std::uint8_t>({3})), invalid, {"one to b"}));
    EXPECT_TRUE(refused(writer->finish(), invalid, {"f: b"}));
    EXPECT_TRUE(succeeded(writer->write("b", bytes_of<std::uint8_t>({3}))));
    EXPECT_TRUE(refused(writer->write("b", bytes_of<std::uint8_t>({3})), invalid, {"all are complete"}));
  }
  EXPECT_TRUE(folder.names().empty());
}

}  // namespace
}  // namespace pantanal
