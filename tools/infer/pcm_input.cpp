#include "pcm_input.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "interruption.hpp"
#include "pantanal/audio/byte_reader.hpp"
#include "pantanal/audio/wav.hpp"

namespace pantanal::infer {
namespace {

constexpr std::size_t buffer_bytes = std::size_t{1} << 16;

std::uint32_t sample_bytes(audio::WavSample sample) {
  switch (sample) {
    case audio::WavSample::unsigned8:
      return 1;
    case audio::WavSample::signed16:
      return 2;
    case audio::WavSample::signed24:
      return 3;
    case audio::WavSample::signed32:
    case audio::WavSample::float32:
      return 4;
    case audio::WavSample::float64:
      return 8;
  }
  return 1;
}

/// Whoever writes WAV to a pipe cannot know its length: 0, and what is as long as a header can say, mean
/// that.
bool is_unknown(std::uint32_t stated) { return stated == 0 || stated >= 0x7fff0000; }

}  // namespace

Result<PcmInput> PcmInput::open(const StreamOptions& options) {
  if (options.input == "-") {
    PcmInput input(FileDescriptor(), STDIN_FILENO, "standard input");
    PANTANAL_TRY_STATUS(input.begin(options));
    return input;
  }
  FileDescriptor descriptor(::open(options.input.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!descriptor.is_open())
    return posix_error(errno, options.input, "a pipe, device or file that can be read");
  const int number = descriptor.get();
  PcmInput input(std::move(descriptor), number, options.input.string());
  PANTANAL_TRY_STATUS(input.begin(options));
  return input;
}

Status PcmInput::begin(const StreamOptions& options) {
  bytes_.resize(buffer_bytes);
  PANTANAL_TRY(const std::size_t got, fill(4));
  if (std::string_view(reinterpret_cast<const char*>(bytes_.data()), std::min<std::size_t>(got, 4)) ==
      "RIFF") {
    PANTANAL_TRY_STATUS(read_header());
  } else {
    header_.sample = options.format;
    header_.sample_rate = options.rate;
    header_.channels = options.channels;
    header_.frame_bytes = options.channels * sample_bytes(options.format);
  }
  PANTANAL_TRY_STATUS(audio::check_format({name_, "", header_.sample_rate, header_.channels, {}}));
  bytes_.resize(std::max<std::size_t>(buffer_bytes, header_.frame_bytes));
  samples_.resize(bytes_.size() / header_.frame_bytes * header_.channels);
  return {};
}

/// Chunk after chunk up to the samples.
Status PcmInput::read_header() {
  using audio::little_endian;
  namespace wav = audio::detail;
  PANTANAL_TRY(const std::size_t begun, fill(12));
  if (begun < 12 || !std::equal(&bytes_[8], &bytes_[12], "WAVE"))
    return wav::wav_error(name_, "a RIFF file of another kind", "WAVE");
  PANTANAL_TRY_STATUS(skip(12));
  for (int chunk = 0; chunk < wav::most_wav_chunks; ++chunk) {
    PANTANAL_TRY(const std::size_t got, fill(8));
    if (got < 8) return wav::wav_error(name_, "the end of the input", "a data chunk");
    const std::string id(bytes_.begin(), bytes_.begin() + 4);
    const auto size = little_endian<std::uint32_t>(&bytes_[4]);
    PANTANAL_TRY_STATUS(skip(8));
    if (id == "data") {
      if (header_.frame_bytes == 0)
        return wav::wav_error(name_, "a data chunk before any fmt chunk", "fmt first");
      if (!is_unknown(size)) left_ = size;
      return {};
    }
    if (id == "fmt ") {
      PANTANAL_TRY(const std::size_t length, fill(std::min<std::uint32_t>(size, 40)));
      if (size < 16 || length < 16)
        return wav::wav_error(
            name_, "a fmt chunk of " + std::to_string(std::min<std::size_t>(size, length)) + " bytes",
            "16 or more");
      PANTANAL_TRY_STATUS(wav::parse_wav_format(
          name_, std::span(bytes_).first(std::min<std::size_t>({length, size, 40})), header_));
    }
    PANTANAL_TRY_STATUS(skip(std::uint64_t{size} + size % 2));  // chunks start at even positions
  }
  return wav::wav_error(name_, "more than " + std::to_string(wav::most_wav_chunks) + " chunks",
                        "a data chunk among them");
}

/// Waits until `wanted` bytes are held, or the input is over; returns how many are.
Result<std::size_t> PcmInput::fill(std::size_t wanted) {
  while (held_ < wanted && !interrupted()) {
    const ssize_t got = ::read(descriptor_, &bytes_[held_], bytes_.size() - held_);
    if (got == 0) break;
    if (got < 0 && errno != EINTR) return posix_error(errno, name_, "an input that can be read");
    if (got > 0) held_ += static_cast<std::size_t>(got);
  }
  return held_;
}

Status PcmInput::skip(std::uint64_t bytes) {
  while (bytes > 0) {
    PANTANAL_TRY(const std::size_t held, fill(1));
    if (held == 0) return audio::detail::wav_error(name_, "the end of the input", "a data chunk");
    const auto dropped = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, held));
    std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(dropped),
              bytes_.begin() + static_cast<std::ptrdiff_t>(held), bytes_.begin());
    held_ -= dropped, bytes -= dropped;
  }
  return {};
}

Result<std::span<const float>> PcmInput::read() {
  if (left_ && *left_ < header_.frame_bytes) return std::span<const float>();
  PANTANAL_TRY(const std::size_t held, fill(header_.frame_bytes));
  if (interrupted()) return std::span<const float>();
  if (held < header_.frame_bytes) {
    if (held == 0 && !left_) return std::span<const float>();
    return Error{ErrorCode::corrupt, name_,
                 left_ ? "the end of the input " + std::to_string(*left_ - held) +
                             " bytes before that which its header states"
                       : "the end of the input within a sample",
                 "whole samples"};
  }
  const std::uint64_t usable = left_ ? std::min<std::uint64_t>(*left_, held) : held;
  const auto frames = static_cast<std::size_t>(usable / header_.frame_bytes);
  audio::decode_wav_samples(bytes_.data(), header_.sample, frames * header_.channels, samples_.data());
  if (left_) *left_ -= frames * header_.frame_bytes;
  PANTANAL_TRY_STATUS(skip(frames * header_.frame_bytes));
  return std::span<const float>(samples_).first(frames * header_.channels);
}

}  // namespace pantanal::infer
