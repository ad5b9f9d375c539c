// WAV and raw samples as they come from a pipe.
#include <cmath>

#include "listen.hpp"
#include "pcm_input.hpp"

namespace pantanal::fuzz {
namespace {

void read_stream(Bytes bytes) {
  infer::StreamOptions options;
  options.input = as_file("fuzzed.pcm", bytes);
  auto input = infer::PcmInput::open(options);
  if (!succeeded(input)) return;
  require(input->channels() > 0 && input->rate() > 0, "a stream has a format");
  for (std::size_t values = 0;;) {
    const auto samples = input->read();
    if (!succeeded(samples) || samples->empty()) return;
    values += samples->size();
    require(samples->size() % input->channels() == 0, "frames are whole");
    require(values <= bytes.size(), "a sample has a byte at least");
  }
}

const Registration stream_wav({.name = "stream_wav",
                               .read = read_stream,
                               .seeds = [] { return golden_files("audio", {".wav"}, 10000); },
                               .runs = 4000});

}  // namespace
}  // namespace pantanal::fuzz
