// Journal: the soundscapes that a run has finished, on disk, so that a killed run can be continued.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/competition/effort.hpp"
#include "pantanal/core/crc32c.hpp"
#include "pantanal/core/finite.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/io/mapped_file.hpp"
#include "pantanal/io/posix.hpp"

namespace pantanal::competition {

/// A soundscape that is done with, one way or the other.
struct JournalEntry {
  std::string file;  ///< its name and size, see Journal
  Effort effort = Effort::full;
  std::string problem;               ///< why it could not be read; empty if it was
  std::vector<float> probabilities;  ///< [12 · C]; empty if there is a problem: its rows keep their prior
};

/// A file of records, each its length, its CRC-32C and its bytes: the first one names the run, the others are
/// entries. Whatever follows the last whole record is dropped: it was being written when the run ended.
/// Move-only.
class Journal {
 public:
  struct Opened;

  /// Begins a journal for `run`, over whatever is at `path`.
  static Result<Journal> create(const std::filesystem::path& path, std::string_view run) {
    FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (!file.is_open()) return posix_error(errno, path, "a file that can be written");
    Journal journal(std::move(file), path);
    PANTANAL_TRY_STATUS(journal.append_record(std::string(magic) + std::string(run)));
    PANTANAL_TRY_STATUS(journal.sync());
    sync_folder_of(path);
    return journal;
  }

  /// Goes on with the journal of `run` at `path`. None there: a new one. Errors: it is of another run
  /// (`mismatch`), or no journal at all (`corrupt`).
  static Result<Opened> resume(const std::filesystem::path& path, std::string_view run);

  /// Appends `entry`. On an error nothing more may be appended: the record may be there in part.
  Status append(const JournalEntry& entry) {
    std::string bytes;
    put(bytes, static_cast<std::uint8_t>(entry.effort));
    put_text(bytes, entry.file);
    put_text(bytes, entry.problem);
    const auto values = std::as_bytes(std::span(entry.probabilities));
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size());
    return append_record(bytes);
  }

  /// What was appended outlives a reset of the machine from here on; a kill of the program alone, it outlives
  /// anyway. Takes as long as the disk does. On an error nothing more may be appended.
  Status sync() {
    if (::fdatasync(file_.get()) == 0 || errno == EINVAL || errno == EROFS)
      return {};  // nothing to sync it to
    return posix_error(errno, path_, "a disk that takes the journal");
  }

 private:
  static constexpr std::string_view magic = "pantanal journal 1\n";

  Journal(FileDescriptor file, std::filesystem::path path) : file_(std::move(file)), path_(std::move(path)) {}

  template <class T>
  static void put(std::string& to, T value) {
    to.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  static void put_text(std::string& to, std::string_view text) {
    put(to, static_cast<std::uint32_t>(text.size()));
    to += text;
  }

  static std::uint32_t crc(std::string_view bytes) {
    Crc32c crc;
    crc.update(std::as_bytes(std::span(bytes)));
    return crc.value();
  }

  Status append_record(const std::string& payload) {
    std::string bytes;
    put(bytes, static_cast<std::uint32_t>(payload.size()));
    put(bytes, crc(payload));
    bytes += payload;
    for (std::string_view left = bytes; !left.empty();) {
      const ssize_t written = ::write(file_.get(), left.data(), left.size());
      if (written < 0 && errno != EINTR) return posix_error(errno, path_, "room for the journal");
      if (written > 0) left.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }

  /// Cuts a value off the front of `bytes`.
  template <class T>
  static std::optional<T> take(std::string_view& bytes) {
    if (bytes.size() < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    bytes.remove_prefix(sizeof value);
    return value;
  }
  static std::optional<std::string> take_text(std::string_view& bytes) {
    const auto size = take<std::uint32_t>(bytes);
    if (!size || *size > bytes.size()) return std::nullopt;
    std::string text(bytes.substr(0, *size));
    bytes.remove_prefix(*size);
    return text;
  }
  static std::optional<std::string_view> take_record(std::string_view& bytes) {
    std::string_view rest = bytes;
    const auto size = take<std::uint32_t>(rest), stated = take<std::uint32_t>(rest);
    if (!size || !stated || *size > rest.size() || crc(rest.substr(0, *size)) != *stated) return std::nullopt;
    bytes = rest.substr(*size);
    return rest.substr(0, *size);
  }
  static std::optional<JournalEntry> parse_entry(std::string_view bytes) {
    const auto effort = take<std::uint8_t>(bytes);
    auto file = take_text(bytes), problem = take_text(bytes);
    if (!effort || *effort > static_cast<std::uint8_t>(Effort::prior_only) || !file || !problem ||
        bytes.size() % sizeof(float) != 0)
      return std::nullopt;
    JournalEntry entry{std::move(*file), static_cast<Effort>(*effort), std::move(*problem), {}};
    entry.probabilities.resize(bytes.size() / sizeof(float));
    if (!bytes.empty()) std::memcpy(entry.probabilities.data(), bytes.data(), bytes.size());
    return entry;
  }

  FileDescriptor file_;
  std::filesystem::path path_;
};

/// A journal and what it held.
struct Journal::Opened {
  Journal journal;
  std::map<std::string, JournalEntry> entries;  ///< by file
};

inline Result<Journal::Opened> Journal::resume(const std::filesystem::path& path, std::string_view run) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0 || status.st_size == 0) {
    PANTANAL_TRY(Journal journal, create(path, run));
    return Opened{std::move(journal), {}};
  }
  std::map<std::string, JournalEntry> entries;
  std::size_t whole = 0;
  {
    PANTANAL_TRY(const MappedFile file, MappedFile::open(path));
    const std::string_view all(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
    std::string_view rest = all;
    const auto head = take_record(rest);
    if (!head || !head->starts_with(magic))
      return Error{ErrorCode::corrupt, path.string(), "a file that is no journal",
                   "one that an earlier run left; without --resume a new one is begun"};
    if (head->substr(magic.size()) != run)
      return Error{ErrorCode::mismatch, path.string(),
                   "the journal of another run: other models, classes, --precision or --soundfile-compat",
                   "this run's; without --resume a new one is begun"};
    whole = all.size() - rest.size();
    while (const auto record = take_record(rest)) {
      auto entry = parse_entry(*record);
      if (!entry) break;
      whole = all.size() - rest.size();
      std::string name = entry->file;
      entries.insert_or_assign(std::move(name), std::move(*entry));
    }
  }
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.is_open()) return posix_error(errno, path, "a file that can be written");
  if (::ftruncate(file.get(), static_cast<off_t>(whole)) != 0 || ::lseek(file.get(), 0, SEEK_END) < 0)
    return posix_error(errno, path, "a file that can be written");
  return Opened{Journal(std::move(file), path), std::move(entries)};
}

}  // namespace pantanal::competition
