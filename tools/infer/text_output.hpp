// TextOutput: where the CSV goes, standard output, a device or a file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "pantanal/core/result.hpp"
#include "pantanal/io/atomic_file.hpp"
#include "pantanal/io/posix.hpp"

namespace pantanal::infer {

/// A file descriptor that is written to, and whose refusals are noticed: a closed pipe, a full disk.
class DescriptorOutput {
 public:
  /// `name` is for messages. The descriptor stays the caller's.
  DescriptorOutput(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}

  /// One of its own.
  DescriptorOutput(FileDescriptor descriptor, std::string name)
      : owned_(std::move(descriptor)), descriptor_(owned_.get()), name_(std::move(name)) {}

  void append(std::string_view text) { pending_ += text; }

  /// Hands over what was appended. A signal that interrupts the wait for a slow reader is an error if
  /// interrupted() says so.
  Status flush();

  /// Whether flush() failed because the pipe's reader has closed it, as `head` does once it has enough.
  bool reader_is_gone() const { return reader_is_gone_; }

 private:
  FileDescriptor owned_;
  int descriptor_;
  bool reader_is_gone_ = false;
  std::string name_, pending_;
};

/// Either of both.
class TextOutput {
 public:
  /// `path`, written atomically; without one, standard output. A device, pipe or socket is written to as it
  /// is, row by row, since a file must not take its place; so is what standard output goes to, under any
  /// name.
  static Result<TextOutput> create(const std::optional<std::filesystem::path>& path);

  Status write(std::string_view text);

  /// Rows so far become visible to readers of standard output; a file's only when it is complete.
  Status flush();

  /// Whether the last failure was that the pipe's reader wants no more.
  bool reader_is_gone() const;

  /// Puts a file in place. Nothing may be written afterwards.
  Status finish();

 private:
  explicit TextOutput(std::variant<DescriptorOutput, AtomicFile> output) : output_(std::move(output)) {}

  std::variant<DescriptorOutput, AtomicFile> output_;
};

}  // namespace pantanal::infer
