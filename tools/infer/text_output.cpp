#include "text_output.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "interruption.hpp"
#include "pantanal/io/posix.hpp"

namespace pantanal::infer {

Status DescriptorOutput::flush() {
  std::string_view left = pending_;
  while (!left.empty()) {
    const ssize_t written = ::write(descriptor_, left.data(), left.size());
    if (written < 0 && (errno != EINTR || interrupted())) {
      reader_is_gone_ = errno == EPIPE;
      return posix_error(errno, name_, "a reader, and room");
    }
    if (written > 0) left.remove_prefix(static_cast<std::size_t>(written));
  }
  pending_.clear();
  return {};
}

namespace {

/// Whether `path` is what standard output goes to: /dev/stdout, or the file that the shell opened.
bool is_standard_output(const struct stat& path) {
  struct stat standard = {};
  return ::fstat(STDOUT_FILENO, &standard) == 0 && standard.st_dev == path.st_dev &&
         standard.st_ino == path.st_ino;
}

}  // namespace

Result<TextOutput> TextOutput::create(const std::optional<std::filesystem::path>& path) {
  if (!path) return TextOutput(DescriptorOutput(STDOUT_FILENO, "standard output"));
  struct stat found = {};
  const bool exists = ::stat(path->c_str(), &found) == 0;
  if (exists && is_standard_output(found)) return TextOutput(DescriptorOutput(STDOUT_FILENO, path->string()));
  if (exists && !S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode)) {
    FileDescriptor descriptor(::open(path->c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
    if (!descriptor.is_open()) return posix_error(errno, *path, "a device or pipe that can be written");
    return TextOutput(DescriptorOutput(std::move(descriptor), path->string()));
  }
  PANTANAL_TRY(AtomicFile file, AtomicFile::create(*path));
  return TextOutput(std::move(file));
}

Status TextOutput::write(std::string_view text) {
  if (auto* const file = std::get_if<AtomicFile>(&output_)) return file->write(text);
  std::get<DescriptorOutput>(output_).append(text);
  return {};
}

Status TextOutput::flush() {
  auto* const descriptor = std::get_if<DescriptorOutput>(&output_);
  return descriptor ? descriptor->flush() : Status();
}

bool TextOutput::reader_is_gone() const {
  const auto* const descriptor = std::get_if<DescriptorOutput>(&output_);
  return descriptor && descriptor->reader_is_gone();
}

Status TextOutput::finish() {
  if (auto* const file = std::get_if<AtomicFile>(&output_)) return file->commit();
  return flush();
}

}  // namespace pantanal::infer
