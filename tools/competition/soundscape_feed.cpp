#include "soundscape_feed.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "pantanal/competition/soundscape.hpp"
#include "start_decoders.hpp"

namespace pantanal::competition {
namespace {

constexpr infer::DecoderLimits limits = {.cpu_seconds = 20};  // a window takes some hundredths of that

Result<std::vector<float>> decode_here(const std::filesystem::path& path) {
  try {
    return read_soundscape_60s(path);
  } catch (const std::exception& failure) {  // memory
    return Error{ErrorCode::internal, path.string(), failure.what(), {}};
  }
}

Result<std::vector<float>> decode_there(infer::DecoderProcess& decoder, const std::filesystem::path& path) {
  constexpr infer::DecodeOptions options = {
      .windows = {.rate = soundscape_rate, .samples = samples_per_window}};
  std::vector<float> samples(soundscape_samples);
  std::size_t done = 0;
  PANTANAL_TRY_STATUS(decoder.decode(path, options, [&](double, double, std::span<const float> window) {
    const std::size_t size = std::min(window.size(), samples.size() - done);
    std::copy_n(window.begin(), size, samples.begin() + static_cast<std::ptrdiff_t>(done));
    done += size;
    return true;
  }));
  return samples;
}

}  // namespace

Status decode_soundscape(const std::filesystem::path& path, const infer::DecodeOptions&,
                         const infer::TakeWindow& take) {
  return read_soundscape_windows(path, [&](std::span<const float> samples) { return take(0, 0, samples); });
}

std::vector<infer::DecoderProcess> start_soundscape_decoder(bool in_process, infer::Console& console) {
  if (in_process) return {};
  return infer::start_decoders(1, limits, decode_soundscape, console);
}

SoundscapeFeed::SoundscapeFeed(std::vector<std::filesystem::path> paths, infer::DecoderProcess* decoder)
    : paths_(std::move(paths)),
      decoder_(decoder),
      thread_([this](const std::stop_token& stop) { decode_all(stop); }) {}

SoundscapeFeed::~SoundscapeFeed() {
  thread_.request_stop();
  queue_.close();
  if (decoder_ && taken_ < paths_.size()) decoder_->stop();  // it may be in a recording that has no end
}

std::optional<DecodedSoundscape> SoundscapeFeed::next(const std::function<bool()>& stop) {
  auto decoded = stop ? queue_.pop_unless(stop) : queue_.pop();
  if (decoded) ++taken_;
  return decoded;
}

void SoundscapeFeed::decode_all(const std::stop_token& stop) {
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    const auto start = std::chrono::steady_clock::now();
    Result<std::vector<float>> samples = decode(paths_[i], stop);
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    if (!queue_.push({i, std::move(samples), spent.count()})) return;
  }
  queue_.close();
}

Result<std::vector<float>> SoundscapeFeed::decode(const std::filesystem::path& path,
                                                  const std::stop_token& stop) const {
  if (!decoder_ || !decoder_->is_alive()) return decode_here(path);
  auto samples = decode_there(*decoder_, path);
  // Someone has ended its processes: that must not cost all that is left.
  if (!samples && !decoder_->is_alive() && !stop.stop_requested()) return decode_here(path);
  return samples;
}

}  // namespace pantanal::competition
