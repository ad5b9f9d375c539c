// WAV files.
#include "listen.hpp"

namespace pantanal::fuzz {
namespace {

const Registration wav({.name = "wav",
                        .read = [](Bytes bytes) { listen(as_file("fuzzed.wav", bytes)); },
                        .seeds = [] { return golden_files("audio", {".wav"}, 10000); },
                        .runs = 1500});

}  // namespace
}  // namespace pantanal::fuzz
