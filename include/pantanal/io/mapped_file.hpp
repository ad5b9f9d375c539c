// MappedFile: a file's bytes as memory, read by the system when touched and shared between processes.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <utility>

#include "pantanal/core/result.hpp"
#include "pantanal/io/posix.hpp"

namespace pantanal {

/// A read-only mapping of a whole regular file. Move-only; the bytes stay where they are when it is moved.
///
/// A file that another process shortens while it is mapped raises SIGBUS at the next touch of what is gone,
/// as with every mapping. Replace files by renaming (see AtomicFile): the mapping then keeps the old one.
class MappedFile {
 public:
  /// Errors: the file is absent, may not be read, or is not a regular file.
  static Result<MappedFile> open(const std::filesystem::path& path) {
    // O_NONBLOCK: a FIFO must be refused, not waited for.
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.is_open()) return posix_error(errno, path, "a readable file");
    struct stat status = {};
    if (::fstat(file.get(), &status) != 0) return posix_error(errno, path, "a readable file");
    if (!S_ISREG(status.st_mode))
      return Error{ErrorCode::io, path.string(), S_ISDIR(status.st_mode) ? "a directory" : "a special file",
                   "a regular file"};
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0) return MappedFile();
    void* const data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
    if (data == MAP_FAILED) return posix_error(errno, path, "a file that can be mapped into memory");
    return MappedFile(data, size);
  }

  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~MappedFile() {
    if (data_) ::munmap(data_, size_);
  }

  /// The file's bytes, from an address that is a multiple of the page size. Empty for an empty file.
  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), size_}; }

 private:
  MappedFile(void* data, std::size_t size) : data_(data), size_(size) {}

  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace pantanal
