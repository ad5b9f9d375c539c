// ByteReader: a regular file read forward in pieces, and little-endian numbers in what was read.
#pragma once

#include <cerrno>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <sys/types.h>

#include "pantanal/core/result.hpp"

namespace pantanal::audio {

/// The unsigned number whose bytes, least significant first, start at `bytes`.
template <std::unsigned_integral T>
T little_endian(const std::uint8_t* bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    value = static_cast<T>(value | static_cast<T>(T{bytes[i]} << 8 * i));
  return value;
}

/// An open file. Move-only.
class ByteReader {
 public:
  /// Errors: not_found, invalid_argument for what is not a regular file (a folder, a pipe), io.
  static Result<ByteReader> open(const std::filesystem::path& path) {
    const std::string name = path.string();
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) {
      if (error && error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory)
        return Error{ErrorCode::io, name, error.message(), ""};
      return Error{ErrorCode::not_found, name, "no such file", ""};
    }
    if (!std::filesystem::is_regular_file(status))
      return Error{ErrorCode::invalid_argument, name, "a folder or device", "a regular file"};
    const std::uint64_t size = std::filesystem::file_size(path, error);
    if (error) return Error{ErrorCode::io, name, error.message(), ""};
    Handle file(std::fopen(name.c_str(), "rb"));
    if (!file) return Error{ErrorCode::io, name, std::system_category().message(errno), "a readable file"};
    return ByteReader(std::move(file), name, size);
  }

  const std::string& name() const { return name_; }
  std::uint64_t size() const { return size_; }          ///< bytes, when it was opened
  std::uint64_t position() const { return position_; }  ///< of the next byte read

  /// Fills `bytes` from the current position; fewer only at the end of the file. Returns how many.
  Result<std::size_t> read(std::span<std::uint8_t> bytes) {
    const std::size_t count = std::fread(bytes.data(), 1, bytes.size(), file_.get());
    position_ += count;
    if (count < bytes.size() && std::ferror(file_.get()))
      return Error{ErrorCode::io, name_, std::system_category().message(errno), "a readable file"};
    return count;
  }

  Status seek(std::uint64_t position) {
    static_assert(sizeof(off_t) >= sizeof(position), "32-bit systems need _FILE_OFFSET_BITS=64");
    if (fseeko(file_.get(), static_cast<off_t>(position), SEEK_SET) != 0)
      return Error{ErrorCode::io, name_, std::system_category().message(errno), "a seekable file"};
    position_ = position;
    return {};
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using Handle = std::unique_ptr<std::FILE, Close>;
  ByteReader(Handle file, std::string name, std::uint64_t size)
      : file_(std::move(file)), name_(std::move(name)), size_(size) {}

  Handle file_;
  std::string name_;
  std::uint64_t size_ = 0, position_ = 0;
};

}  // namespace pantanal::audio
