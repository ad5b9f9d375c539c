#include "decode.hpp"

#include <algorithm>
#include <vector>

namespace pantanal::infer {

Status decode_recording(const std::filesystem::path& path, const DecodeOptions& options,
                        const TakeWindow& take) {
  PANTANAL_TRY(audio::WindowStream stream, audio::WindowStream::open(path, options.windows));
  const auto expected = static_cast<double>(stream.windows().value_or(0));
  std::vector<float> samples(options.windows.samples);
  for (double windows = 1;; ++windows) {
    PANTANAL_TRY(const std::optional<audio::Window> window, stream.next(samples));
    if (!window) return {};
    audio::normalize(samples, options.normalize);
    if (!take(window->start_s, expected > 0 ? std::min(1.0, windows / expected) : 0, samples)) return {};
  }
}

}  // namespace pantanal::infer
