// MP3 files, through libmpg123 where pantanal_audio was built with it.
#pragma once

#include <memory>

#include "pantanal/audio/byte_reader.hpp"
#include "pantanal/audio/source.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::audio {

/// Whether this build reads MP3 (PANTANAL_WITH_MP3).
bool reads_mp3();

/// A source for an MPEG layer III file, tags before and after it skipped. Frames are found and checked here,
/// and given to libmpg123 one by one. Breaks where something else than a frame follows, where a frame is cut
/// short or does not decode, where rate or channels change, and where there are fewer frames than a Xing or
/// Info header states. What an encoder adds at both ends is cut where its LAME tag says how much that is.
/// Most frames have no checksum: damage within one goes unnoticed. Errors: corrupt; unsupported for other
/// layers and for free format, and, naming the option, in a build without.
Result<std::unique_ptr<Source>> open_mp3(ByteReader file);

}  // namespace pantanal::audio
