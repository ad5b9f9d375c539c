// Recordings through libsndfile, where the build has it: its own faults are the confined process's to bear,
// but what we make of its answers is ours.
#include "pantanal/audio/soundfile.hpp"

#include "listen.hpp"

/// What libsndfile and its decoders do not give back of files that they refuse is no leak of ours.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libsndfile.so\nleak:libvorbis\nleak:libogg.so\nleak:libFLAC.so\nleak:libopus.so\n";
}

namespace pantanal::fuzz {
namespace {

/// But for MP3: libmpg123, which has an entry of its own, would fill the log under libsndfile.
void read_as_soundfile(Bytes bytes) {
  const bool is_mp3 = as_text(bytes).starts_with("ID3") ||
                      (bytes.size() > 1 && bytes[0] == 0xff && (bytes[1] & 0xe0) == 0xe0);
  if (!is_mp3) listen(as_file("fuzzed.sound", bytes), true);
}

std::vector<File> soundfile_seeds() { return golden_files("audio", {".wav", ".ogg", ".flac"}, 8000); }

const bool has_soundfile = [] {
  if (audio::reads_as_soundfile())
    entries().push_back(
        {.name = "soundfile", .read = read_as_soundfile, .seeds = soundfile_seeds, .runs = 1500});
  return true;
}();

}  // namespace
}  // namespace pantanal::fuzz
