// FolderLock: one process at a time makes a file that several use.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

#include "pantanal/io/posix.hpp"

namespace pantanal {

/// Held from its making to its end, or the process's, by whoever asked first for that file's folder.
/// Advisory, flock(2) on the folder itself: it leaves nothing behind. Move-only.
class FolderLock {
 public:
  /// Waits for `patience` at most. Not held then, nor where a folder cannot be locked: whoever goes on must
  /// be right all the same, if slower.
  explicit FolderLock(const std::filesystem::path& file,
                      std::chrono::milliseconds patience = std::chrono::seconds(10)) {
    const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
    folder_ = FileDescriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder_.get() < 0) return;
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!(is_held_ = ::flock(folder_.get(), LOCK_EX | LOCK_NB) == 0) && errno == EWOULDBLOCK &&
           std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }

  bool is_held() const { return is_held_; }

 private:
  FileDescriptor folder_;  // closing it gives the lock back
  bool is_held_ = false;
};

}  // namespace pantanal
