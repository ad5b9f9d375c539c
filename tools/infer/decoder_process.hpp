// DecoderProcess: decodes recordings in a process of its own, of little memory and few rights, so that one
// that breaks the decoder costs no other.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "decode.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/io/posix.hpp"

namespace pantanal::infer {

struct DecoderLimits {
  std::size_t memory = std::size_t{512} << 20;  ///< bytes of address space, beyond what the program has
  int cpu_seconds = 60;                         ///< from one window to the next
};

/// One process that decodes, and one that starts it anew where it ends before its time. Recordings are read
/// there, nothing else: no file can be written, no connection and no program opened (where the kernel has
/// seccomp). Move-only.
class DecoderProcess {
 public:
  using Decode = Status (*)(const std::filesystem::path&, const DecodeOptions&, const TakeWindow&);

  /// Forks: before the program has threads. Errors: io.
  static Result<DecoderProcess> start(const DecoderLimits& limits = {}, Decode decode = decode_recording);

  DecoderProcess(DecoderProcess&& other) noexcept;
  DecoderProcess& operator=(DecoderProcess&&) = delete;
  ~DecoderProcess();

  /// What decode_recording does. Errors: its own; internal, if the decoder crashes or passes a limit on this
  /// recording; the next one is decoded by another. After `take` has said no, nothing more may be decoded.
  Status decode(const std::filesystem::path& path, const DecodeOptions& options, const TakeWindow& take);

  /// Whether anything more can be decoded: no more once its processes are gone for good.
  bool is_alive() const { return is_alive_; }

  /// Ends its processes, and a decode() that is under way in another thread: for good.
  void stop() const;

 private:
  DecoderProcess(FileDescriptor socket, pid_t keeper, const DecoderLimits& limits)
      : socket_(std::move(socket)), keeper_(keeper), limits_(limits) {}

  Error gone(const std::string& path);
  Error ended(const std::filesystem::path& path, int status) const;

  FileDescriptor socket_;
  pid_t keeper_ = 0;
  DecoderLimits limits_;
  bool is_alive_ = true;
};

}  // namespace pantanal::infer
