// What the file classes share: file descriptors that close themselves, and the system's refusals as errors.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "pantanal/core/result.hpp"

namespace pantanal {

/// The error for a system call on `path` that failed with `code` (an errno value).
inline Error posix_error(int code, const std::filesystem::path& path, std::string expected) {
  const bool absent = code == ENOENT || code == ENOTDIR;
  return {absent ? ErrorCode::not_found : ErrorCode::io, path.string(),
          std::error_code(code, std::generic_category()).message(), std::move(expected)};
}

/// An open file descriptor, or none. Move-only.
class FileDescriptor {
 public:
  explicit FileDescriptor(int value = -1) : value_(value) {}
  FileDescriptor(FileDescriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~FileDescriptor() { close(); }

  int get() const { return value_; }
  bool is_open() const { return value_ >= 0; }

  /// Returns errno, or 0: some file systems report a failed write only here.
  int close() {
    const int value = std::exchange(value_, -1);
    return value < 0 || ::close(value) == 0 ? 0 : errno;
  }

 private:
  int value_;
};

/// Puts on disk that `path` is in its folder: a new file or a rename is, once the folder is. Some file
/// systems cannot sync a folder; then there is nothing to do.
inline void sync_folder_of(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const FileDescriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.is_open()) ::fsync(descriptor.get());
}

}  // namespace pantanal
