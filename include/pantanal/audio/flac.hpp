// FLAC files, through libFLAC where pantanal_audio was built with it.
#pragma once

#include <memory>

#include "pantanal/audio/byte_reader.hpp"
#include "pantanal/audio/source.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::audio {

/// Whether this build reads FLAC (PANTANAL_WITH_FLAC).
bool reads_flac();

/// A source for a native FLAC file. Its STREAMINFO is checked before libFLAC sees it. Breaks where a frame
/// does not decode or its checksum is wrong, where one is missing or of another format, and where there are
/// fewer or more frames of sound than STREAMINFO states. Holds a few blocks, 5 MB at most. Errors: corrupt;
/// unsupported, naming the option, in a build without. Source: RFC 9639, "Free Lossless Audio Codec (FLAC)"
/// (2024), sections 8.2 and 9.
Result<std::unique_ptr<Source>> open_flac(ByteReader file);

}  // namespace pantanal::audio
