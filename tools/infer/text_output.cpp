#include "text_output.hpp"

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
    if (written < 0 && (errno != EINTR || interrupted()))
      return posix_error(errno, name_, "a reader, and room");
    if (written > 0) left.remove_prefix(static_cast<std::size_t>(written));
  }
  pending_.clear();
  return {};
}

Result<TextOutput> TextOutput::create(const std::optional<std::filesystem::path>& path) {
  if (!path) return TextOutput(DescriptorOutput(STDOUT_FILENO, "standard output"));
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

Status TextOutput::finish() {
  if (auto* const file = std::get_if<AtomicFile>(&output_)) return file->commit();
  return flush();
}

}  // namespace pantanal::infer
