// PcmInput: raw samples or WAV from a pipe, which cannot be sought in and may never end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pantanal/audio/source.hpp"
#include "pantanal/audio/wav_header.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/io/posix.hpp"
#include "stream_options.hpp"

namespace pantanal::infer {

/// Frames of samples as they arrive. Move-only.
class PcmInput {
 public:
  /// Opens options.input and reads a WAV header, if there is one. What is not WAV is raw samples as `options`
  /// say. Errors: those of opening; a header that is corrupt or of an encoding that cannot be read; io.
  static Result<PcmInput> open(const StreamOptions& options);

  std::uint32_t rate() const { return header_.sample_rate; }
  std::uint32_t channels() const { return header_.channels; }

  /// What has arrived, at least a frame unless the input is over, as floats [n, channels]; waits for it.
  /// Valid until the next call. Errors: io; corrupt, if the input ends within a frame. Empty, too, once
  /// interrupted() says so.
  Result<std::span<const float>> read();

 private:
  PcmInput(FileDescriptor owned, int descriptor, std::string name)
      : owned_(std::move(owned)), descriptor_(descriptor), name_(std::move(name)) {}

  Status begin(const StreamOptions& options);
  Status read_header();
  Result<std::size_t> fill(std::size_t wanted);
  Status skip(std::uint64_t bytes);

  FileDescriptor owned_;
  int descriptor_;
  std::string name_;
  audio::WavHeader header_;
  std::optional<std::uint64_t> left_;  ///< bytes of samples that a header states
  std::vector<std::uint8_t> bytes_;
  std::size_t held_ = 0;  ///< bytes read and not yet used, at the front
  std::vector<float> samples_;
};

}  // namespace pantanal::infer
