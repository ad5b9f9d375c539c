// PackedFile: packed weights in a file, mapped read-only and shared by the processes that use it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "pantanal/core/crc32c.hpp"
#include "pantanal/core/packed_arena.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/io/atomic_file.hpp"
#include "pantanal/io/mapped_file.hpp"

namespace pantanal {

namespace detail {

inline constexpr std::string_view packed_magic = "PANTPACK";
/// Counts changes of this header and of every layout that weights are packed in.
inline constexpr std::uint32_t packed_version = 1;

/// What such a file begins with; the buffers follow it as in PackedArena.
struct PackedHeader {
  char magic[8];
  std::uint32_t version;
  std::uint32_t checksum;  ///< CRC-32C of all bytes behind it
  std::uint64_t size;      ///< of the file
  std::uint32_t layout;    ///< CRC-32C of the buffers' sizes
  char purpose[4068];      ///< filled up with zeros
};
static_assert(sizeof(PackedHeader) == 4096);

/// Tells whether buffers are as many and as large as others.
inline std::uint32_t packed_layout(const PackedArena& arena) {
  Crc32c crc;
  for (const std::span<const std::byte> buffer : arena.taken()) {
    const std::uint64_t size = buffer.size();
    crc.update(std::as_bytes(std::span(&size, 1)));
  }
  return crc.value();
}

}  // namespace detail

/// A whole file of packed weights, for one purpose. Move-only; buffers() stay where they are.
class PackedFile {
 public:
  /// `purpose` says of what and for what the weights are packed; another's are refused before more than that
  /// is read, else every byte is. Errors: not_found; io; mismatch: of another kind, version or purpose;
  /// corrupt: cut short or altered.
  static Result<PackedFile> open(const std::filesystem::path& path, std::string_view purpose) {
    PANTANAL_TRY(MappedFile file, MappedFile::open(path));
    const std::span<const std::byte> bytes = file.bytes();
    PANTANAL_TRY_STATUS(check_kind(path, bytes));
    const auto error = [&](ErrorCode code, std::string found, std::string expected) {
      return Error{code, path.string(), std::move(found), std::move(expected)};
    };
    Header header;
    if (bytes.size() < sizeof header)
      return error(ErrorCode::corrupt, std::to_string(bytes.size()) + " bytes",
                   "packed weights, which have at least " + std::to_string(sizeof header));
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.version != detail::packed_version)
      return error(ErrorCode::mismatch, "packed weights of version " + std::to_string(header.version),
                   "version " + std::to_string(detail::packed_version));
    if (const std::string_view found = text(header); found != purpose)
      return error(ErrorCode::mismatch, std::string(found), std::string(purpose));
    if (header.size != bytes.size())
      return error(ErrorCode::corrupt, std::to_string(bytes.size()) + " bytes",
                   "packed weights of " + std::to_string(header.size));
    if (const std::uint32_t found = checksum(bytes); found != header.checksum)
      return error(ErrorCode::corrupt, "bytes whose checksum is " + std::to_string(found),
                   std::to_string(header.checksum) + "; the file was altered or damaged");
    return PackedFile(path, std::move(file), header.layout);
  }

  /// Whether there is a file at `path` that begins as packed weights do, whatever follows.
  static bool is_one(const std::filesystem::path& path) {
    const auto file = MappedFile::open(path);
    return file && file->bytes().size() >= detail::packed_magic.size() && check_kind(path, file->bytes());
  }

  /// For a PackedArena.
  std::span<const std::byte> buffers() const { return file_.bytes().subspan(sizeof(Header)); }

  /// Whether `arena`, of buffers(), has handed out exactly those that were written. Error: mismatch.
  Status check(const PackedArena& arena) const {
    if (arena.bytes() == buffers().size() && detail::packed_layout(arena) == layout_) return {};
    return Error{ErrorCode::mismatch, path_.string(),
                 std::to_string(buffers().size()) + " bytes of packed weights",
                 std::to_string(arena.bytes()) + ", in buffers of other sizes"};
  }

  /// Writes the buffers of `arena`, packed by now, so that open(path, purpose) finds them. The file appears
  /// complete or not at all. Errors: io, not_found; mismatch: a file of another kind, which is not replaced.
  static Status write(const std::filesystem::path& path, std::string_view purpose, const PackedArena& arena) {
    if (purpose.size() > sizeof Header::purpose)
      return Error{ErrorCode::invalid_argument, path.string(), std::to_string(purpose.size()) + " characters",
                   "a purpose of at most " + std::to_string(sizeof Header::purpose)};
    if (const auto file = MappedFile::open(path)) {
      PANTANAL_TRY_STATUS(check_kind(path, file->bytes()));
    } else if (file.error().code != ErrorCode::not_found) {
      return file.error();
    }
    Header header = {};
    std::ranges::copy(detail::packed_magic, header.magic);
    std::ranges::copy(purpose, header.purpose);
    header.version = detail::packed_version;
    header.size = sizeof header + arena.bytes();
    header.layout = detail::packed_layout(arena);
    Crc32c crc;
    crc.update(std::as_bytes(std::span(&header, 1)).subspan(checked_from));
    for_each_piece(arena, [&](std::span<const std::byte> piece) { crc.update(piece); });
    header.checksum = crc.value();
    PANTANAL_TRY(AtomicFile file, AtomicFile::create(path));
    Status written = file.write(std::as_bytes(std::span(&header, 1)));
    for_each_piece(arena, [&](std::span<const std::byte> piece) {
      if (written) written = file.write(piece);
    });
    PANTANAL_TRY_STATUS(written);
    return file.commit();
  }

 private:
  using Header = detail::PackedHeader;
  static constexpr std::size_t checked_from = offsetof(Header, size);

  PackedFile(std::filesystem::path path, MappedFile file, std::uint32_t layout)
      : path_(std::move(path)), file_(std::move(file)), layout_(layout) {}

  /// An empty file is of any kind.
  static Status check_kind(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    const auto magic = std::as_bytes(std::span(detail::packed_magic));
    const std::size_t some = std::min(bytes.size(), magic.size());
    if (std::ranges::equal(bytes.first(some), magic.first(some))) return {};
    return Error{ErrorCode::mismatch, path.string(), "a file of another kind", "packed weights, or no file"};
  }

  static std::uint32_t checksum(std::span<const std::byte> file) {
    return crc32c(file.subspan(checked_from));
  }

  static std::string_view text(const Header& header) {
    const std::string_view all(header.purpose, sizeof header.purpose);
    return all.substr(0, all.find('\0'));
  }

  /// The buffers' bytes, and zeros that round each up.
  template <class Take>
  static void for_each_piece(const PackedArena& arena, const Take& take) {
    static constexpr std::byte zeros[cache_line] = {};
    for (const std::span<const std::byte> buffer : arena.taken()) {
      take(buffer);
      take(std::span(zeros).first((cache_line - buffer.size() % cache_line) % cache_line));
    }
  }

  std::filesystem::path path_;
  MappedFile file_;
  std::uint32_t layout_;
};

}  // namespace pantanal
