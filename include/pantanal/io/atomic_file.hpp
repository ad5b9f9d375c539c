// AtomicFile: a file that appears under its name complete, or not at all.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/io/hidden_file.hpp"
#include "pantanal/io/posix.hpp"

namespace pantanal {

/// Writes to a file that nobody finds yet; commit() puts it in the destination's place. Without a commit
/// whatever was at the destination stays, and nothing else does. Move-only. HiddenFile tells of its owner and
/// permissions.
///
/// After a failed write the file cannot be committed: commit() then reports that first failure.
class AtomicFile {
 public:
  /// Errors: the folder is absent or may not be written, or `destination` exists and is not a regular file (a
  /// device must not be replaced by a file). A symbolic link is followed, even to a file that is not there
  /// yet, so that it survives.
  static Result<AtomicFile> create(const std::filesystem::path& destination) {
    PANTANAL_TRY(const std::filesystem::path target, resolve(destination));
    auto file = HiddenFile::create(target);
    if (file) return AtomicFile(*std::move(file));
    Error error = file.error();
    error.where = destination.string();
    return error;
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
      status_ = Error{ErrorCode::invalid_argument, file_.target().string(), "a second commit", "one"};
    if (status_ && ::fsync(file_.get()) != 0) fail(errno);
    if (status_)
      if (const int code = file_.publish(); code != 0) fail(code);
    if (!status_) return status_;
    if (const int code = file_.close(); code != 0) fail(code);
    sync_folder_of(file_.target());
    return status_;
  }

 private:
  static constexpr std::size_t buffer_capacity = std::size_t{1} << 16;

  explicit AtomicFile(HiddenFile file) : file_(std::move(file)) {}

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

  void fail(int code) { status_ = posix_error(code, file_.target(), "a file that can be written"); }

  HiddenFile file_;
  std::vector<std::byte> buffer_;
  Status status_;
};

}  // namespace pantanal
