// HiddenFile: what a file will hold, before it stands under its name.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <utility>

#include "pantanal/core/result.hpp"
#include "pantanal/io/posix.hpp"

namespace pantanal {

/// A new file in the folder of `target`, which takes its place at publish(). Until then it has no name, so
/// that a program that is killed leaves nothing; where the system cannot do that, a temporary name, which the
/// destructor removes. Move-only.
///
/// A file that is replaced passes its permission bits on to the new one, from the start, and its owner and
/// group where that is allowed; where its group is not, the new file's group may do no more than others may.
/// A file that replaces none has the permissions that the umask leaves.
class HiddenFile {
 public:
  enum class Name { none_if_possible, temporary };

  /// Errors: the folder is absent or may not be written.
  static Result<HiddenFile> create(const std::filesystem::path& target, Name name = Name::none_if_possible) {
    struct stat older = {};
    const bool replaces = ::stat(target.c_str(), &older) == 0;
    const mode_t mode = replaces ? older.st_mode & 0700 : 0666;
    HiddenFile file(target);
    if (name == Name::none_if_possible) file.open_nameless(mode);
    if (!file.is_open())
      if (const int code = file.open_named(mode); code != 0)
        return posix_error(code, target, "a folder that can be written");
    if (replaces) pass_on(file.get(), older);
    return file;
  }

  HiddenFile(HiddenFile&&) noexcept = default;
  HiddenFile& operator=(HiddenFile&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(target_, other.target_);
    std::swap(temporary_, other.temporary_);
    return *this;
  }
  ~HiddenFile() {
    if (is_open() && !temporary_.empty()) ::unlink(temporary_.c_str());
  }

  int get() const { return file_.get(); }
  /// Until close().
  bool is_open() const { return file_.is_open(); }
  const std::filesystem::path& target() const { return target_; }

  /// Puts the file under its name. Returns errno, or 0.
  int publish() {
    if (temporary_.empty()) {
      const int code = link(file_, target_);  // which replaces nothing
      if (code != EEXIST) return code;
      if (const int failure = link_temporary(); failure != 0) return failure;
    }
    return ::rename(temporary_.c_str(), target_.c_str()) == 0 ? 0 : errno;
  }

  /// Returns errno, or 0. What was not published is lost, or left under its temporary name.
  int close() { return file_.close(); }

 private:
  explicit HiddenFile(std::filesystem::path target) : target_(std::move(target)) {}

  std::filesystem::path random_name() const {
    std::random_device random;
    char name[48];
    std::snprintf(name, sizeof name, ".pantanal-%08x%08x.tmp", random(), random());
    return target_.parent_path() / name;
  }

  /// Tries names until `take`, which returns an errno, finds one that is free.
  template <class Take>
  int find_name(const Take& take) {
    for (int attempt = 0;; ++attempt) {
      std::filesystem::path name = random_name();
      const int code = take(name);
      if (code == 0) temporary_ = std::move(name);
      if (code != EEXIST || attempt == 100) return code;
    }
  }

  int open_named(mode_t mode) {
    return find_name([&](const std::filesystem::path& name) {
      file_ = FileDescriptor(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
      return is_open() ? 0 : errno;
    });
  }

  /// Opens nothing where such a file cannot be made or could not be given a name later.
  void open_nameless(mode_t mode) {
    const std::filesystem::path folder = target_.has_parent_path() ? target_.parent_path() : ".";
    const auto open = [&] {
      return FileDescriptor(::open(folder.c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, mode));
    };
    // Without /proc, or where links are forbidden, that would turn out only when all is written.
    const std::filesystem::path name = random_name();
    const FileDescriptor probe = open();
    if (!probe.is_open() || link(probe, name) != 0) return;
    ::unlink(name.c_str());
    // Before Linux 6.0 some file systems forget the umask here. Where it took nothing, that may be so.
    struct stat made = {};
    if (::fstat(probe.get(), &made) != 0 || (made.st_mode & 0777) == 0666) return;
    file_ = open();
  }

  int link_temporary() {
    return find_name([&](const std::filesystem::path& name) { return link(file_, name); });
  }

  /// Gives a nameless file a name. Returns errno, or 0.
  static int link(const FileDescriptor& file, const std::filesystem::path& name) {
    const std::string itself = "/proc/self/fd/" + std::to_string(file.get());
    return ::linkat(AT_FDCWD, itself.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
  }

  /// What the umask took is given back as well. A file system without owners or permission bits refuses,
  /// which takes nothing from anyone.
  static void pass_on(int file, const struct stat& older) {
    struct stat made = {};
    const bool has_group =
        (::fstat(file, &made) == 0 && made.st_uid == older.st_uid && made.st_gid == older.st_gid) ||
        ::fchown(file, older.st_uid, older.st_gid) == 0 ||
        ::fchown(file, static_cast<uid_t>(-1), older.st_gid) == 0;
    const mode_t of_others = older.st_mode & 0007;
    const mode_t of_group = has_group ? 0070 : of_others << 3;
    ::fchmod(file, older.st_mode & (0707 | of_group));
  }

  FileDescriptor file_;
  std::filesystem::path target_, temporary_;
};

}  // namespace pantanal
