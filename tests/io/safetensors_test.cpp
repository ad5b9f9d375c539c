#include "pantanal/io/safetensors.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"

namespace pantanal {
namespace {

/// Made by make_safetensors_fixture.py.
std::filesystem::path golden(std::string_view name) {
  return std::filesystem::path(PANTANAL_SOURCE_DIR "/tests/golden/safetensors") / name;
}

template <class T>
std::vector<T> values_of(const SafetensorsFile& file, std::string_view name) {
  const auto bytes = file.bytes(name);
  if (!bytes) return {};
  std::vector<T> values(bytes->size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes->data(), bytes->size());
  return values;
}

/// A file's bytes from the text of its header and its data.
std::string file_of(std::string_view header, std::string_view data) {
  const std::uint64_t size = header.size();
  std::string bytes(reinterpret_cast<const char*>(&size), sizeof size);
  return bytes.append(header).append(data);
}

TEST(SafetensorsFile, ReadsAFileOfPythonsSafetensors) {
  const auto file = SafetensorsFile::open(golden("by_safetensors.safetensors"));
  ASSERT_TRUE(succeeded(file));
  EXPECT_EQ(file->metadata().at("naïve"), "{\"a\":\"b\\c\"}");
  EXPECT_EQ(file->tensors().size(), 7u);
  EXPECT_EQ(file->tensors().at("plain").shape, (Shape{2, 3}));
  const auto plain = file->floats("plain");
  ASSERT_TRUE(succeeded(plain));
  EXPECT_EQ(std::vector<float>(plain->begin(), plain->end()),
            (std::vector<float>{0, 0.25, 0.5, 0.75, 1, 1.25}));
  EXPECT_EQ(values_of<float>(*file, "scalar"), std::vector<float>{-2.5f});
  EXPECT_TRUE(file->tensors().at("scalar").shape.empty());
  EXPECT_EQ(values_of<std::int64_t>(*file, "wide"), (std::vector<std::int64_t>{-1, 0, 1}));
  EXPECT_EQ(values_of<std::uint8_t>(*file, "Größe"), (std::vector<std::uint8_t>{7, 8, 255}));
  EXPECT_EQ(values_of<std::uint8_t>(*file, "flags"), (std::vector<std::uint8_t>{1, 0, 1}));
  EXPECT_EQ(values_of<std::uint16_t>(*file, "half"), (std::vector<std::uint16_t>{0x3e00, 0xb400}));
  EXPECT_EQ(file->tensors().at("half").dtype, "F16");
  ASSERT_TRUE(succeeded(file->floats("empty")));
  EXPECT_TRUE(file->floats("empty")->empty());
  EXPECT_TRUE(refused(file->verify_checksum(), ErrorCode::not_found, {"by_safetensors", "no checksum"}));
}

TEST(SafetensorsFile, VerifiesAChecksumThatAnotherProgramMade) {
  const auto file = SafetensorsFile::open(golden("with_checksum.safetensors"));
  ASSERT_TRUE(succeeded(file));
  EXPECT_TRUE(succeeded(file->verify_checksum()));
}

TEST(SafetensorsFile, OutlivesAMove) {
  auto opened = SafetensorsFile::open(golden("with_checksum.safetensors"));
  ASSERT_TRUE(succeeded(opened));
  const std::span<const float> before = *opened->floats("plain");
  const SafetensorsFile moved = *std::move(opened);
  EXPECT_EQ(moved.floats("plain")->data(), before.data());
  EXPECT_EQ(before[5], 1.25f);
}

TEST(SafetensorsFile, NamesAMissingTensorOrAnotherType) {
  const auto file = SafetensorsFile::open(golden("with_checksum.safetensors"));
  ASSERT_TRUE(succeeded(file));
  EXPECT_TRUE(refused(file->bytes("absent"), ErrorCode::not_found, {"with_checksum", ": absent"}));
  EXPECT_TRUE(refused(file->floats("absent"), ErrorCode::not_found, {": absent"}));
  EXPECT_TRUE(refused(file->floats("wide"), ErrorCode::mismatch, {": wide", "I64", "expected F32"}));
}

TEST(SafetensorsFile, RefusesFloatsAtAnOddOffset) {
  const TemporaryFolder folder;
  write_bytes(folder / "f", file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "1234"));
  const auto file = SafetensorsFile::open(folder / "f");
  ASSERT_TRUE(succeeded(file));
  EXPECT_TRUE(succeeded(file->bytes("a")));
  EXPECT_TRUE(refused(file->floats("a"), ErrorCode::unsupported, {": a", "odd offset"}));
}

TEST(SafetensorsFile, RefusesWhatIsNoSafetensorsFile) {
  const TemporaryFolder folder;
  const auto open = [&](std::string_view bytes) {
    write_bytes(folder / "f", bytes);
    return SafetensorsFile::open(folder / "f");
  };
  EXPECT_TRUE(refused(SafetensorsFile::open(folder / "absent"), ErrorCode::not_found, {"absent"}));
  EXPECT_TRUE(refused(open(""), ErrorCode::corrupt, {"0 bytes"}));
  EXPECT_TRUE(refused(open("1234567"), ErrorCode::corrupt, {"7 bytes"}));
  EXPECT_TRUE(refused(open(std::string(8, '\0')), ErrorCode::corrupt, {"no '{'"}));
  EXPECT_TRUE(refused(open(std::string(8, '\xff')), ErrorCode::corrupt, {"18446744073709551615 bytes"}));
  EXPECT_TRUE(
      refused(open(std::string("\3\0\0\0\0\0\0\0{}", 10)), ErrorCode::corrupt, {"3 bytes in a file of 10"}));
  EXPECT_TRUE(refused(open(file_of("{}", "x")), ErrorCode::corrupt, {"end of the file"}));
  EXPECT_TRUE(succeeded(open(file_of("{}", ""))));
}

TEST(SafetensorsFile, RefusesEveryTruncationAndExtension) {
  const TemporaryFolder folder;
  const std::string whole = read_bytes(golden("by_safetensors.safetensors"));
  write_bytes(folder / "f", whole);
  ASSERT_TRUE(succeeded(SafetensorsFile::open(folder / "f")));
  for (std::size_t size = whole.size(); size-- > 0;) {
    std::filesystem::resize_file(folder / "f", size);
    EXPECT_FALSE(SafetensorsFile::open(folder / "f")) << size;
  }
  write_bytes(folder / "f", whole + '\0');
  EXPECT_TRUE(
      refused(SafetensorsFile::open(folder / "f"), ErrorCode::corrupt, {"1 bytes that no tensor claims"}));
}

TEST(SafetensorsFile, ChecksumSeesEveryAlteredByte) {
  const TemporaryFolder folder;
  const std::string whole = read_bytes(golden("with_checksum.safetensors"));
  ASSERT_FALSE(whole.empty());
  write_bytes(folder / "f", whole);
  for (std::size_t place = 0; place < whole.size(); ++place) {
    for (const char mask : {'\x01', '\x20', '\x80'}) {
      overwrite_byte(folder / "f", place, static_cast<char>(whole[place] ^ mask));
      const auto file = SafetensorsFile::open(folder / "f");
      EXPECT_FALSE(file && file->verify_checksum()) << place << " ^ " << int{mask};
    }
    overwrite_byte(folder / "f", place, whole[place]);
  }
  EXPECT_TRUE(succeeded(SafetensorsFile::open(folder / "f")->verify_checksum()));
}

TEST(SafetensorsFile, RefusesAChecksumItCannotPlace) {
  const TemporaryFolder folder;
  const auto verify = [&](std::string_view header) {
    write_bytes(folder / "f", file_of(header, ""));
    const auto file = SafetensorsFile::open(folder / "f");
    return file ? file->verify_checksum() : Status(file.error());
  };
  EXPECT_TRUE(refused(verify(R"({"__metadata__":{"checksum": "crc32c:00000000"}})"), ErrorCode::corrupt,
                      {"checksum", "without spaces"}));
  EXPECT_TRUE(
      refused(verify(R"({"__metadata__":{"checksum":"sha256:0"}})"), ErrorCode::corrupt, {"sha256:0"}));
  EXPECT_TRUE(refused(verify(R"({"__metadata__":{"checksum":"crc32c:000000000"}})"), ErrorCode::corrupt));
  EXPECT_TRUE(refused(verify(R"({"__metadata__":{"checksum":"crc32c:0"}})"), ErrorCode::corrupt));
  EXPECT_TRUE(
      refused(verify(R"({"__metadata__":{"checksum":"crc32c:00000000","a\"checksum":"crc32c:00000000"}})"),
              ErrorCode::corrupt, {"once"}));
}

}  // namespace
}  // namespace pantanal
