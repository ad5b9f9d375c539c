#include "soundscape_decoder.hpp"

#include <algorithm>
#include <exception>
#include <span>
#include <utility>

#include "pantanal/competition/soundscape.hpp"
#include "start_decoders.hpp"

namespace pantanal::competition {
namespace {

constexpr infer::DecoderLimits limits = {.cpu_seconds = 20};  // a window takes some hundredths of that

}  // namespace

Status decode_soundscape(const std::filesystem::path& path, const infer::DecodeOptions& options,
                         const infer::TakeWindow& take) {
  return read_soundscape_windows(
      path, [&](std::span<const float> samples) { return take(0, 0, samples); },
      options.windows.soundfile_compat);
}

SoundscapeDecoder::SoundscapeDecoder(const Options& options, infer::Console& console)
    : soundfile_compat_(options.soundfile_compat) {
  if (options.in_process) return;
  std::vector<infer::DecoderProcess> started = infer::start_decoders(1, limits, decode_soundscape, console);
  if (!started.empty()) process_.emplace(std::move(started.front()));
}

Result<std::vector<float>> SoundscapeDecoder::decode(const std::filesystem::path& path,
                                                     const std::stop_token& stop) {
  if (!has_process()) return decode_here(path);
  auto samples = decode_there(path);
  // Someone has ended its processes: that must not cost all that is left.
  if (!samples && !has_process() && !stop.stop_requested()) return decode_here(path);
  return samples;
}

void SoundscapeDecoder::stop() {
  if (process_) process_->stop();
}

Result<std::vector<float>> SoundscapeDecoder::decode_here(const std::filesystem::path& path) const {
  try {
    return read_soundscape_60s(path, soundfile_compat_);
  } catch (const std::exception& failure) {  // memory
    return Error{ErrorCode::internal, path.string(), failure.what(), {}};
  }
}

Result<std::vector<float>> SoundscapeDecoder::decode_there(const std::filesystem::path& path) {
  const infer::DecodeOptions options = {.windows = {soundscape_rate, samples_per_window, soundfile_compat_}};
  std::vector<float> samples(soundscape_samples);
  std::size_t done = 0;
  PANTANAL_TRY_STATUS(process_->decode(path, options, [&](double, double, std::span<const float> window) {
    const std::size_t size = std::min(window.size(), samples.size() - done);
    std::copy_n(window.begin(), size, samples.begin() + static_cast<std::ptrdiff_t>(done));
    done += size;
    return true;
  }));
  return samples;
}

}  // namespace pantanal::competition
