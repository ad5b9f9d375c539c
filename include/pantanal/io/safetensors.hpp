// SafetensorsFile: the tensors of a .safetensors file, in place in a mapped file.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "pantanal/core/crc32c.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/io/mapped_file.hpp"
#include "pantanal/io/page_release.hpp"
#include "pantanal/io/safetensors_header.hpp"

namespace pantanal {

/// A .safetensors file, ours or anyone's, that keeps the format's rules. Spans point into the map and live as
/// long as this object; they stay valid when it is moved.
class SafetensorsFile {
 public:
  /// Maps the file and checks its header (see parse_safetensors_header); reads no tensor.
  static Result<SafetensorsFile> open(const std::filesystem::path& path) {
    PANTANAL_TRY(MappedFile file, MappedFile::open(path));
    const std::span<const std::byte> bytes = file.bytes();
    const auto corrupt = [&](std::string found, std::string expected) {
      return Error{ErrorCode::corrupt, path.string(), std::move(found), std::move(expected)};
    };
    std::uint64_t header_size = 0;
    if (bytes.size() < sizeof header_size)
      return corrupt(std::to_string(bytes.size()) + " bytes", "a .safetensors file, which has at least 10");
    std::memcpy(&header_size, bytes.data(), sizeof header_size);
    if (header_size > bytes.size() - sizeof header_size)
      return corrupt("a header of " + std::to_string(header_size) + " bytes in a file of " +
                         std::to_string(bytes.size()),
                     "a complete .safetensors file");
    SafetensorsFile opened(path, std::move(file), sizeof header_size + static_cast<std::size_t>(header_size));
    PANTANAL_TRY(opened.header_,
                 parse_safetensors_header(opened.header_text(), opened.data().size(), path.string()));
    return opened;
  }

  const std::filesystem::path& path() const { return path_; }
  const std::map<std::string, std::string, std::less<>>& metadata() const { return header_.metadata; }
  const std::map<std::string, SafetensorsEntry, std::less<>>& tensors() const { return header_.tensors; }

  /// A tensor's bytes, row-major and little-endian.
  Result<std::span<const std::byte>> bytes(std::string_view name) const {
    const auto found = header_.tensors.find(name);
    if (found == header_.tensors.end())
      return Error{ErrorCode::not_found, where(name), "no such tensor", "it in this file"};
    const SafetensorsEntry& entry = found->second;
    return data().subspan(static_cast<std::size_t>(entry.begin),
                          static_cast<std::size_t>(entry.end - entry.begin));
  }

  /// The values of an F32 tensor. Files whose data does not start at a multiple of 4 bytes are refused.
  Result<std::span<const float>> floats(std::string_view name) const {
    PANTANAL_TRY(const std::span<const std::byte> raw, bytes(name));
    const std::string& dtype = header_.tensors.find(name)->second.dtype;
    if (dtype != "F32") return Error{ErrorCode::mismatch, where(name), "dtype " + dtype, "F32"};
    if (reinterpret_cast<std::uintptr_t>(raw.data()) % alignof(float) != 0)
      return Error{ErrorCode::unsupported, where(name), "data at an odd offset", "a multiple of 4 bytes"};
    return std::span(reinterpret_cast<const float*>(raw.data()), raw.size() / sizeof(float));
  }

  /// The bits of a BF16 or F16 tensor. Files whose data does not start at a multiple of 2 bytes are refused.
  Result<std::span<const std::uint16_t>> halves(std::string_view name) const {
    PANTANAL_TRY(const std::span<const std::byte> raw, bytes(name));
    const std::string& dtype = header_.tensors.find(name)->second.dtype;
    if (dtype != "BF16" && dtype != "F16")
      return Error{ErrorCode::mismatch, where(name), "dtype " + dtype, "F32, BF16, F16 or I8"};
    if (reinterpret_cast<std::uintptr_t>(raw.data()) % alignof(std::uint16_t) != 0)
      return Error{ErrorCode::unsupported, where(name), "data at an odd offset", "a multiple of 2 bytes"};
    return std::span(reinterpret_cast<const std::uint16_t*>(raw.data()), raw.size() / sizeof(std::uint16_t));
  }

  /// The values of an I8 tensor.
  Result<std::span<const std::int8_t>> int8s(std::string_view name) const {
    PANTANAL_TRY(const std::span<const std::byte> raw, bytes(name));
    const std::string& dtype = header_.tensors.find(name)->second.dtype;
    if (dtype != "I8") return Error{ErrorCode::mismatch, where(name), "dtype " + dtype, "I8"};
    return std::span(reinterpret_cast<const std::int8_t*>(raw.data()), raw.size());
  }

  /// Reads the whole file and compares it with the CRC-32C in its metadata (see SafetensorsChecksum). A file
  /// without one is an error: it has passed through another program since it was written.
  Status verify_checksum() const {
    const auto stated = header_.metadata.find(SafetensorsChecksum::key);
    if (stated == header_.metadata.end())
      return Error{ErrorCode::not_found, where("__metadata__.checksum"), "no checksum", "crc32c:xxxxxxxx"};
    const std::optional<std::size_t> digits = SafetensorsChecksum::find_digits(header_text());
    if (!digits)
      return Error{ErrorCode::corrupt, where("__metadata__.checksum"), stated->second,
                   "\"checksum\":\"crc32c:xxxxxxxx\" once, without spaces"};
    const std::span<const std::byte> all = file_.bytes();
    const std::size_t at = sizeof(std::uint64_t) + *digits;
    Crc32c crc;
    crc.update(all.first(at));
    crc.update(std::as_bytes(std::span(SafetensorsChecksum::zeros)));
    std::span<const std::byte> rest = all.subspan(at + SafetensorsChecksum::zeros.size());
    while (!rest.empty()) {  // in pieces that are given back, so that a large file is never whole in memory
      const std::span<const std::byte> piece = rest.first(std::min(rest.size(), checksum_piece));
      crc.update(piece);
      release_pages(piece);
      rest = rest.subspan(piece.size());
    }
    if (const std::string actual = SafetensorsChecksum::text(crc.value()); stated->second != actual)
      return Error{ErrorCode::corrupt, where("__metadata__.checksum"), "bytes whose checksum is " + actual,
                   stated->second + "; the file was altered or damaged"};
    return {};
  }

 private:
  SafetensorsFile(std::filesystem::path path, MappedFile file, std::size_t data_offset)
      : path_(std::move(path)), file_(std::move(file)), data_offset_(data_offset) {}

  std::string_view header_text() const {
    constexpr std::size_t start = sizeof(std::uint64_t);
    return {reinterpret_cast<const char*>(file_.bytes().data()) + start, data_offset_ - start};
  }
  std::span<const std::byte> data() const { return file_.bytes().subspan(data_offset_); }
  std::string where(std::string_view what) const { return path_.string() + ": " + std::string(what); }

  static constexpr std::size_t checksum_piece = std::size_t{4} << 20;

  std::filesystem::path path_;
  MappedFile file_;
  std::size_t data_offset_;
  SafetensorsHeader header_;
};

}  // namespace pantanal
