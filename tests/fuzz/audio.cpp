// WAV and Ogg Vorbis files, as they are and with the checksums of Ogg pages repaired, which would otherwise
// hide the decoder from damage.
#include <algorithm>
#include <cmath>
#include <vector>

#include "audio/ogg_writer.hpp"
#include "entry.hpp"
#include "pantanal/audio/windows.hpp"

namespace {

using namespace pantanal;

/// Most windows to listen to: damage can state a rate at which a short file lasts for hours.
constexpr int most_windows = 40;

void listen(fuzz::Bytes bytes) {
  constexpr std::size_t samples = 8000;
  auto stream = audio::WindowStream::open(fuzz::as_file("fuzzed", bytes), {16000, samples});
  if (!fuzz::succeeded(stream)) return;
  std::vector<float> window(samples);
  for (int i = 0; i < most_windows; ++i) {
    const auto next = stream->next(window);
    if (!fuzz::succeeded(next) || !*next) return;
    fuzz::require((*next)->recorded <= samples, "a window holds no more than fits");
    fuzz::require(std::all_of(window.begin(), window.end(), [](float x) { return std::isfinite(x); }),
                  "samples are finite");
  }
}

/// Writes the right checksum into every page that is whole.
std::vector<std::uint8_t> repaired(fuzz::Bytes bytes) {
  constexpr std::size_t header = 27;
  std::vector<std::uint8_t> data(bytes.begin(), bytes.end());
  for (std::size_t at = 0; at + header <= data.size() && data[at] == 'O';) {
    const std::size_t segments = data[at + header - 1];
    if (at + header + segments > data.size()) break;
    std::size_t length = header + segments;
    for (std::size_t i = 0; i < segments; ++i) length += data[at + header + i];
    if (at + length > data.size()) break;
    audio::repair_checksum(std::span(data).subspan(at, length));
    at += length;
  }
  return data;
}

}  // namespace

PANTANAL_FUZZ_ENTRY(fuzz_audio)(pantanal::fuzz::Bytes bytes) {
  listen(bytes);
  if (const std::vector<std::uint8_t> whole = repaired(bytes); !std::ranges::equal(whole, bytes))
    listen(whole);
}
