// SpoolFile: nameless scratch space on disk, for data whose length or order is not known before its end.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "pantanal/core/result.hpp"
#include "pantanal/io/posix.hpp"

namespace pantanal {

/// A file without a name: it vanishes with the process, however that ends. Move-only.
class SpoolFile {
 public:
  /// On the file system of `folder`, which must exist and be writable.
  static Result<SpoolFile> create(const std::filesystem::path& folder) {
    std::string name = (folder / ".pantanal-XXXXXX").string();
    const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor < 0) return posix_error(errno, folder, "a folder that can be written");
    ::unlink(name.c_str());
    Stream stream(::fdopen(descriptor, "w+b"));
    if (stream) return SpoolFile(std::move(stream), folder);
    const Error error = posix_error(errno, folder, "memory for one more file");
    ::close(descriptor);
    return error;
  }

  /// Bytes appended so far.
  std::uint64_t size() const { return size_; }

  Status append(std::span<const std::byte> bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), stream_.get()) != bytes.size()) return failure();
    size_ += bytes.size();
    return {};
  }

  /// Replaces the first bytes; there must be as many. Afterwards append() goes on at the end.
  Status overwrite_front(std::span<const std::byte> bytes) {
    if (bytes.size() > size_)
      return Error{ErrorCode::invalid_argument, "SpoolFile::overwrite_front",
                   std::to_string(bytes.size()) + " bytes", "at most " + std::to_string(size_)};
    std::FILE* const file = stream_.get();
    if (::fseeko(file, 0, SEEK_SET) != 0 ||
        std::fwrite(bytes.data(), 1, bytes.size(), file) != bytes.size() || ::fseeko(file, 0, SEEK_END) != 0)
      return failure();
    return {};
  }

  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using Stream = std::unique_ptr<std::FILE, Close>;

  /// The whole content, to be read from the start.
  Result<Stream> read_back() && {
    if (std::fflush(stream_.get()) != 0 || ::fseeko(stream_.get(), 0, SEEK_SET) != 0) return failure();
    return std::move(stream_);
  }

 private:
  SpoolFile(Stream stream, std::filesystem::path folder)
      : stream_(std::move(stream)), folder_(std::move(folder)) {}

  Error failure() const { return posix_error(errno, folder_, "room for a temporary file"); }

  Stream stream_;
  std::filesystem::path folder_;
  std::uint64_t size_ = 0;
};

}  // namespace pantanal
