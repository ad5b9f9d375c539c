// A zip archive of uncompressed members, complete under its name or not there. Needs libzip.
#pragma once

#include <zip.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/io/atomic_file.hpp"
#include "pantanal/io/spool_file.hpp"

namespace pantanal::output {

/// A member of an archive to be written.
struct ZipMember {
  std::string name;  ///< UTF-8
  SpoolFile content;
};

namespace detail {

/// An AtomicFile as libzip writes into it: through commands. It has nothing to read, and is committed by
/// write_zip.
class ZipSink {
 public:
  explicit ZipSink(AtomicFile& file) : file_(file) { zip_error_init(&error_); }
  ZipSink(const ZipSink&) = delete;
  ZipSink& operator=(const ZipSink&) = delete;
  ~ZipSink() { zip_error_fini(&error_); }

  const Status& status() const { return status_; }

  static zip_int64_t handle(void* self, void* data, zip_uint64_t length, zip_source_cmd_t command) {
    return static_cast<ZipSink*>(self)->handle(data, length, command);
  }

 private:
  zip_int64_t handle(void* data, zip_uint64_t length, zip_source_cmd_t command) {
    switch (command) {
      case ZIP_SOURCE_SUPPORTS:
        return ZIP_SOURCE_SUPPORTS_WRITABLE;
      case ZIP_SOURCE_STAT:
        return describe(*static_cast<zip_stat_t*>(data));
      case ZIP_SOURCE_ERROR:
        return zip_error_to_data(&error_, data, length);
      case ZIP_SOURCE_WRITE:
        return write({static_cast<const std::byte*>(data), length});
      case ZIP_SOURCE_SEEK_WRITE:
        return seek(data, length);
      case ZIP_SOURCE_TELL_WRITE:
        return static_cast<zip_int64_t>(position_);
      default:
        return 0;
    }
  }

  static zip_int64_t describe(zip_stat_t& stat) {
    zip_stat_init(&stat);
    stat.valid |= ZIP_STAT_SIZE;
    stat.size = 0;
    return sizeof stat;
  }

  /// libzip goes back to complete a member's header, and forward again.
  zip_int64_t write(std::span<const std::byte> bytes) {
    const auto inside = std::min<std::uint64_t>(bytes.size(), size_ - position_);
    if (inside > 0) status_ = file_.overwrite(position_, bytes.first(inside));
    if (status_ && inside < bytes.size()) status_ = file_.write(bytes.subspan(inside));
    if (!status_) {
      zip_error_set(&error_, ZIP_ER_WRITE, 0);
      return -1;
    }
    position_ += bytes.size();
    size_ = std::max(size_, position_);
    return static_cast<zip_int64_t>(bytes.size());
  }

  zip_int64_t seek(void* data, zip_uint64_t length) {
    const zip_int64_t to = zip_source_seek_compute_offset(position_, size_, data, length, &error_);
    if (to < 0) return -1;
    position_ = static_cast<std::uint64_t>(to);
    return 0;
  }

  AtomicFile& file_;
  std::uint64_t position_ = 0, size_ = 0;
  Status status_;
  zip_error_t error_;
};

struct DiscardZip {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
using ZipHandle = std::unique_ptr<zip_t, DiscardZip>;

inline Error zip_failure(zip_error_t* error, std::string_view where) {
  return {
      ErrorCode::io, std::string(where), std::string("libzip's \"") + zip_error_strerror(error) + '"', {}};
}

inline Result<ZipHandle> open_zip(ZipSink& sink, std::string_view where) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* const source = zip_source_function_create(ZipSink::handle, &sink, &error);
  ZipHandle archive(source ? zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, &error) : nullptr);
  if (archive) return archive;
  Error failure = zip_failure(&error, where);
  if (source) zip_source_free(source);
  zip_error_fini(&error);
  return failure;
}

/// Adds a member that is read when the archive is closed. Without a date: equal members, equal archives.
inline Status add_member(zip_t* archive, ZipMember member, std::string_view where) {
  constexpr zip_uint16_t no_time = 0, first_day_of_1980 = 1 << 5 | 1;
  PANTANAL_TRY(SpoolFile::Stream stream, std::move(member.content).read_back());
  zip_source_t* const source = zip_source_filep(archive, stream.get(), 0, -1);
  if (!source) return zip_failure(zip_get_error(archive), where);
  static_cast<void>(stream.release());  // the source closes it
  const zip_int64_t index = zip_file_add(archive, member.name.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    Error failure = zip_failure(zip_get_error(archive), where);
    zip_source_free(source);
    return failure;
  }
  const auto at = static_cast<zip_uint64_t>(index);
  if (zip_set_file_compression(archive, at, ZIP_CM_STORE, 0) != 0 ||
      zip_file_set_dostime(archive, at, no_time, first_day_of_1980, 0) != 0)
    return zip_failure(zip_get_error(archive), where);
  return {};
}

}  // namespace detail

/// Writes `members` into `file`, which must be empty, and commits it. Members of any size: zip64 where
/// needed. `cancelled` is asked now and then; once it returns true, nothing is committed and the error says
/// so. `where` names the file in libzip's errors.
inline Status write_zip(
    AtomicFile file, std::vector<ZipMember> members, std::string_view where,
    std::function<bool()> cancelled = [] { return false; }) {
  detail::ZipSink sink(file);
  PANTANAL_TRY(detail::ZipHandle archive, detail::open_zip(sink, where));
  for (ZipMember& member : members)
    PANTANAL_TRY_STATUS(detail::add_member(archive.get(), std::move(member), where));
  const zip_cancel_callback ask = [](zip_t*, void* state) {
    return static_cast<int>((*static_cast<std::function<bool()>*>(state))());
  };
  zip_register_cancel_callback_with_state(archive.get(), ask, nullptr, &cancelled);
  if (zip_close(archive.get()) != 0)
    return sink.status() ? detail::zip_failure(zip_get_error(archive.get()), where) : sink.status();
  static_cast<void>(archive.release());  // closed
  return file.commit();
}

}  // namespace pantanal::output
