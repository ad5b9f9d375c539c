// TextOutput: where the CSV goes, standard output or a file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "pantanal/core/result.hpp"
#include "pantanal/io/atomic_file.hpp"

namespace pantanal::infer {

/// A file descriptor that is written to, and whose refusals are noticed: a closed pipe, a full disk.
class DescriptorOutput {
 public:
  /// `name` is for messages. The descriptor stays the caller's.
  DescriptorOutput(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}

  void append(std::string_view text) { pending_ += text; }

  /// Hands over what was appended. A signal that interrupts the wait for a slow reader is an error if
  /// interrupted() says so.
  Status flush();

 private:
  int descriptor_;
  std::string name_, pending_;
};

/// Either of both.
class TextOutput {
 public:
  /// `path`, written atomically; without one, standard output.
  static Result<TextOutput> create(const std::optional<std::filesystem::path>& path);

  Status write(std::string_view text);

  /// Rows so far become visible to readers of standard output; a file's only when it is complete.
  Status flush();

  /// Puts a file in place. Nothing may be written afterwards.
  Status finish();

 private:
  explicit TextOutput(std::variant<DescriptorOutput, AtomicFile> output) : output_(std::move(output)) {}

  std::variant<DescriptorOutput, AtomicFile> output_;
};

}  // namespace pantanal::infer
