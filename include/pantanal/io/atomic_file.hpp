// AtomicFile: a file that appears under its name complete, or not at all.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/io/posix.hpp"

namespace pantanal {

/// Writes to a temporary file in the destination's folder; commit() renames it. Without a commit, the
/// destructor removes it and whatever was at the destination stays. Move-only.
///
/// A file that is replaced passes its permission bits on to the new one, from the start; a new file has those
/// that the umask leaves.
///
/// After a failed write the file cannot be committed: commit() then reports that first failure.
class AtomicFile {
 public:
  /// Errors: the folder is absent or may not be written, or `destination` exists and is not a regular file (a
  /// device must not be replaced by a file). A symbolic link is followed, even to a file that is not there
  /// yet, so that it survives.
  static Result<AtomicFile> create(const std::filesystem::path& destination) {
    PANTANAL_TRY(const std::filesystem::path target, resolve(destination));
    struct stat older = {};
    const bool replaces = ::stat(target.c_str(), &older) == 0;
    const mode_t mode = replaces ? older.st_mode & 0777 : 0666;
    std::random_device random;
    for (int attempt = 0;; ++attempt) {
      char name[48];
      std::snprintf(name, sizeof name, ".pantanal-%08x%08x.tmp", random(), random());
      std::filesystem::path temporary = target.parent_path() / name;
      FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
      // What the umask took. A file system without permission bits refuses, which takes nothing from anyone.
      if (file.is_open() && replaces) static_cast<void>(::fchmod(file.get(), mode));
      if (file.is_open()) return AtomicFile(std::move(file), target, std::move(temporary));
      if (errno != EEXIST || attempt == 100)
        return posix_error(errno, destination, "a folder that can be written");
    }
  }

  AtomicFile(AtomicFile&&) noexcept = default;
  AtomicFile& operator=(AtomicFile&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(target_, other.target_);
    std::swap(temporary_, other.temporary_);
    std::swap(buffer_, other.buffer_);
    std::swap(status_, other.status_);
    return *this;
  }
  ~AtomicFile() {
    if (file_.is_open()) ::unlink(temporary_.c_str());
  }

  /// Appends. Small pieces are collected first.
  Status write(std::span<const std::byte> bytes) {
    if (buffer_.size() + bytes.size() <= buffer_capacity) {
      buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
      return status_;
    }
    flush();
    if (bytes.size() > buffer_capacity) {
      append(bytes);
    } else {
      buffer_.assign(bytes.begin(), bytes.end());
    }
    return status_;
  }
  Status write(std::string_view text) { return write(std::as_bytes(std::span(text))); }

  /// Replaces bytes written before, from `offset` on. The end of the file does not move.
  Status overwrite(std::uint64_t offset, std::span<const std::byte> bytes) {
    flush();
    for (std::size_t done = 0; status_ && done < bytes.size();)
      advance(done, ::pwrite(file_.get(), bytes.data() + done, bytes.size() - done,
                             static_cast<off_t>(offset + done)));
    return status_;
  }

  /// Puts the file, safely on disk, under its name. Nothing may be written afterwards.
  Status commit() {
    flush();
    if (status_ && !file_.is_open())
      status_ = Error{ErrorCode::invalid_argument, target_.string(), "a second commit", "one"};
    if (status_ && ::fsync(file_.get()) != 0) fail(errno);
    if (status_ && ::rename(temporary_.c_str(), target_.c_str()) != 0) fail(errno);
    if (!status_) return status_;
    if (const int code = file_.close(); code != 0) fail(code);
    sync_folder_of(target_);
    return status_;
  }

 private:
  static constexpr std::size_t buffer_capacity = std::size_t{1} << 16;

  AtomicFile(FileDescriptor file, std::filesystem::path target, std::filesystem::path temporary)
      : file_(std::move(file)), target_(std::move(target)), temporary_(std::move(temporary)) {}

  static Result<std::filesystem::path> resolve(const std::filesystem::path& destination) {
    std::error_code code;
    const std::filesystem::file_status status = std::filesystem::status(destination, code);
    if (!std::filesystem::exists(status)) {
      if (destination.has_filename()) return follow(destination);
      return Error{ErrorCode::invalid_argument, destination.string(), "no file name", "a path to a file"};
    }
    if (!std::filesystem::is_regular_file(status))
      return Error{ErrorCode::io, destination.string(),
                   std::filesystem::is_directory(status) ? "a directory" : "a special file",
                   "a regular file to replace, or none"};
    std::filesystem::path target = std::filesystem::canonical(destination, code);
    if (code) return posix_error(code.value(), destination, "a path that can be resolved");
    return target;
  }

  /// What the links at `destination`, which lead to no file, name in the end.
  static Result<std::filesystem::path> follow(const std::filesystem::path& destination) {
    constexpr int most_links = 40;  // as the kernel
    std::filesystem::path target = destination;
    for (int links = 0; links <= most_links; ++links) {
      std::error_code code;
      const std::filesystem::path next = std::filesystem::read_symlink(target, code);
      if (code) return target;
      target = target.parent_path() / next;
    }
    return posix_error(ELOOP, destination, "a link that leads to a file");
  }

  void flush() {
    append(buffer_);
    buffer_.clear();
  }

  void append(std::span<const std::byte> bytes) {
    for (std::size_t done = 0; status_ && done < bytes.size();)
      advance(done, ::write(file_.get(), bytes.data() + done, bytes.size() - done));
  }

  void advance(std::size_t& done, ssize_t written) {
    if (written >= 0) {
      done += static_cast<std::size_t>(written);
    } else if (errno != EINTR) {
      fail(errno);
    }
  }

  void fail(int code) { status_ = posix_error(code, target_, "a file that can be written"); }

  FileDescriptor file_;
  std::filesystem::path target_, temporary_;
  std::vector<std::byte> buffer_;
  Status status_;
};

}  // namespace pantanal
